/** The page on people's rights says what the code does. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseRightsRequest, rightsStatuses, rightsTypes } from '@comity/core/rights/rights-request'
import { rightsRoutes } from '../src/people/rights-routes.ts'
import { dutyKindOf } from '../src/rights/rights-scope.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/protocols/rights.md'), 'utf8')
const samples = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => JSON.parse(text) as unknown)

test('the sample of a request is one, and every status is told', () => {
  assert.equal(parseRightsRequest(samples[0]).type, 'rectify')
  for (const status of rightsStatuses) assert.ok(page.includes(`\`${status}\``), status)
})

test('each right has its row, with the duty that it puts on recipients', () => {
  for (const type of rightsTypes) {
    const [row = ''] = new RegExp(`^\\| \`${type}\`.*$`, 'm').exec(page) ?? []
    const owed = row.split('|').at(-2)?.trim() ?? ''
    assert.ok(row !== '' && owed.startsWith(dutyKindOf(type) === undefined ? '' : `\`${dutyKindOf(type)}\``), type)
    assert.equal(owed === '', dutyKindOf(type) === undefined, type)
  }
})

test('every address of the table is there, and every address is in the table', () => {
  const told = [...page.matchAll(/^\| `(GET|POST|DELETE) (\/rights\/\S+)`/gm)].map(([, method, path = '']) => ({
    method,
    path: path.replace('{id}', '019c5d57-5f70-7bb2-9a01-5d4c3b2a1f00'),
  }))
  const routes = rightsRoutes.filter(
    ([, pattern]) => pattern.source.includes('rights\\/requests') || pattern.source.includes('rights/requests'),
  )
  assert.equal(told.length, routes.length)
  for (const { method, path } of told)
    assert.ok(
      routes.some(([known, pattern]) => known === method && pattern.test(path)),
      `${method} ${path}`,
    )
})
