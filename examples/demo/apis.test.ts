import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { parse } from 'yaml'
import { athletesOpenApi, electricityOpenApi, profileOpenApi, startDemoApis, type DemoApis } from './apis.ts'

const folder = mkdtempSync(join(tmpdir(), 'comity-demo-apis-'))
let apis: DemoApis

before(async () => {
  apis = await startDemoApis(folder)
})
after(async () => {
  await apis[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

/** A check of values against `#/components/schemas/<name>` of an OpenAPI 3.1 document. */
function schemaCheck(file: string, name: string): (value: unknown) => void {
  const ajv = new Ajv2020({ strict: false })
  addFormats.default(ajv)
  ajv.addSchema({ $id: 'api.json', ...(parse(readFileSync(file, 'utf8')) as object) })
  return (value) => assert.ok(ajv.validate(`api.json#/components/schemas/${name}`, value), ajv.errorsText())
}

test('the descriptions are valid OpenAPI 3.1', async () => {
  for (const file of [athletesOpenApi, profileOpenApi, electricityOpenApi]) {
    const { valid, errors } = await new Validator().validate(file)
    assert.ok(valid, JSON.stringify(errors))
  }
})

test('the federation has all 11,538 athletes, each as both descriptions of the API say', async () => {
  const answer = await fetch(`${apis.athletesUrl}/athletes`)
  const athletes = (await answer.json()) as unknown[]
  assert.equal(athletes.length, 11_538)
  const checks = [schemaCheck(athletesOpenApi, 'Athlete'), schemaCheck(profileOpenApi, 'Profile')]
  for (const athlete of athletes) for (const check of checks) check(athlete)
})

test('a page of a sport has only athletes of that sport, and tells how many there are', async () => {
  const answer = await fetch(`${apis.athletesUrl}/athletes?sport=fencing&_page=2&_limit=5`)
  const athletes = (await answer.json()) as { sport: string }[]
  assert.deepEqual(
    athletes.map(({ sport }) => sport),
    Array(5).fill('fencing'),
  )
  assert.equal(answer.headers.get('x-total-count'), '246')
})

test('an observation is kept and gets an id', async () => {
  const observation = { athlete: 736041664, kind: 'height', value: 1.72, observed_at: '2016-08-05T12:00:00Z' }
  schemaCheck(athletesOpenApi, 'NewObservation')(observation)
  const headers = { 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: JSON.stringify(observation) }
  const answer = await fetch(`${apis.athletesUrl}/observations`, init)
  assert.equal(answer.status, 201)
  schemaCheck(athletesOpenApi, 'Observation')(await answer.json())
})

test('the generation of electricity is there for 17 years and 3 sources, as described', async () => {
  const rows = (await (await fetch(`${apis.electricityUrl}/generation`)).json()) as unknown[]
  assert.equal(rows.length, 51)
  rows.forEach(schemaCheck(electricityOpenApi, 'Generation'))
})
