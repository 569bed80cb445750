/** What the pages say of names is so: links to headings lead there; codes, messages and header fields are those that
 *  there are. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { clientEventTypes, webhookAdded, webhookTest } from '../../packages/core/src/events/client-events.ts'
import { problemKinds } from '../../packages/core/src/problems.ts'
import { webhookEventTypes } from '../../packages/node/src/webhooks/webhook-config.ts'
import { parse } from 'yaml'
import { scopeShape } from '../../packages/core/src/consent/consent-scope-schema.ts'
import { parseGrants } from '../../packages/core/src/consent/parse-grants.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const pages = globSync(['*.md', 'docs/**/*.md', 'packages/*/README.md', 'bench/README.md'], { cwd: root })

/** Names of the headings of a page, as they are linked to. */
function anchors(page: string): Set<string> {
  const headings = [...page.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, text]) => text ?? '')
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** Links to a heading that is not there. */
function lost(path: string, page: string): string[] {
  return [...page.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)#([^)\s]+)\)/g)]
    .filter(([, file = '', anchor = '']) => {
      const target = file === '' ? path : join(dirname(path), file)
      return target.endsWith('.md') && !(existsSync(join(root, target)) && anchors(read(target)).has(anchor))
    })
    .map(([link]) => `${path}: ${link}`)
}

test('every link to a heading of a page leads to one', () => {
  assert.deepEqual(
    pages.flatMap((path) => lost(path, read(path))),
    [],
  )
  assert.equal(lost('README.md', '[a](#two-nodes-by-hand) [b](#nowhere) [c](SECURITY.md#nothing)').length, 2)
})

test('every problem code that the page on incidents names is one', () => {
  const named = [...read('docs/operating/incidents.md').matchAll(/^\| (`[^|]+) \|/gm)]
    .flatMap(([, cell = '']) => [...cell.matchAll(/`([a-z-]+)`/g)].map(([, code = '']) => code))
    .filter((code) => !code.startsWith('-') && !code.endsWith('-'))
  assert.deepEqual(
    named.filter((code) => !Object.hasOwn(problemKinds, code)),
    [],
  )
  assert.ok(named.length > 40)
})

test('the page on webhooks has every message, and no other', () => {
  const [own = '', clients = ''] = read('docs/operating/webhooks.md').split('\n## Webhooks of clients\n')
  const rowsOf = (text: string) => [...text.matchAll(/^\| `([a-z.-]+)`/gm)].map(([, type]) => type).toSorted()
  assert.deepEqual(rowsOf(own), [...webhookEventTypes].toSorted())
  assert.deepEqual(rowsOf(clients), [webhookAdded, webhookTest, ...clientEventTypes].toSorted())
})

test('every header field of this product that the code reads or writes is explained', () => {
  const sources = globSync('packages/{core,node,client}/src/**/*.ts', { cwd: root })
  const text = sources
    .filter((path) => !/test|fixtures/.test(path))
    .map(read)
    .join('\n')
  const fields = [...text.matchAll(/(?:header\(|get\(|headers\[|\[|, )'(comity-[a-z-]+)'[\],)]/g)].map(
    ([, name = '']) => name,
  )
  const said = [
    'docs/operating/client.md',
    'docs/operating/consent-pages.md',
    'docs/operating/replicas.md',
    'docs/protocols/wire-profile.md',
  ]
    .map((path) => read(path).toLowerCase())
    .join('\n')
  const unexplained = new Set(fields.filter((name) => !said.includes(`\`${name}\``)))
  assert.deepEqual([...unexplained], [])
  assert.ok(new Set(fields).size > 4, [...new Set(fields)].join(' '))
})

test('the grant with every member is one, and has every member', () => {
  const [, yaml = ''] = /```yaml\n(# Part of a template: one grant with every member\n[\s\S]*?)```/.exec(
    read('docs/operating/consents.md'),
  ) ?? ['', '']
  const [grant] = parseGrants(parse(yaml))
  assert.ok(grant)
  const absent = Object.keys(scopeShape).filter((member) => !(member in grant) && member !== 'modes')
  assert.deepEqual(absent, [])
})
