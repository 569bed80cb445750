/** The addresses that `docs/operating/consent-pages.md` names for programs are there. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { openPeopleScene } from './people-scene.ts'

const page = readFileSync(new URL('../../../docs/operating/consent-pages.md', import.meta.url), 'utf8')
const source = (name: string) => readFileSync(new URL(`../src/people/${name}.ts`, import.meta.url), 'utf8')
const uuid = '019ca8d7-2d00-7000-8000-0000000000ff'

const listed = page
  .split('\n')
  .filter((line) => /^\| `(?:GET|POST|DELETE) /.test(line))
  .flatMap((line) => [...line.matchAll(/`(GET|POST|DELETE) (\/[^`]+)`/g)])

test('every address of the table is there, with its method', async () => {
  await using scene = await openPeopleScene()
  for (const [, method = '', path = ''] of listed) {
    const exact = path.replace('{id}', `urn:uuid:${uuid}`).replace(/\{\w+\}/, uuid)
    // Another method than any: the answer says which there are.
    const answer = await fetch(`${scene.listenerUrl}${exact}`, { method: 'PUT' })
    assert.ok(answer.headers.get('allow')?.split(', ').includes(method), `${method} ${path}`)
  }
  assert.ok(listed.length > 12)
})

test('every address for programs is in the table', () => {
  const named = [
    ...`${source('api-routes')}${source('rights-routes')}`.matchAll(/`(GET|POST|DELETE) (\/(?:v1|rights)\/[^`]+)`/g),
  ]
  const inTable = new Set(listed.map(([, method, path]) => `${method} ${path}`))
  for (const [, method = '', path = ''] of named) {
    const steps = /\{(step|change)\}$/.test(path) ? ['pause', 'resume', 'withdraw'] : ['']
    for (const step of steps) assert.ok(inTable.has(`${method} ${path.replace(/\{(step|change)\}$/, step)}`), path)
  }
  assert.ok(named.length > 5)
})
