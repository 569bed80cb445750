import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wholeRelease } from '@comity/core/minimisation/whole-release'
import { parseOpenApi } from '../openapi/openapi.ts'
import { productAdditionSchema } from '../product-config.ts'
import { createProduct } from '../product.ts'
import { documentOf } from '../products-test-kit.ts'
import type { UnlabelledField } from './unlabelled-watch.ts'

const open = { type: 'object', additionalProperties: true }
const answers = (type: string, schema: object) => ({ 200: { description: 'ok', content: { [type]: { schema } } } })
const paths = {
  '/rows': { get: { operationId: 'rows', responses: answers('application/json', { type: 'array', items: open }) } },
  '/lines': { get: { operationId: 'lines', responses: answers('application/x-ndjson', open) } },
}

/** A product whose answers are minimised one after the other, and what was told. */
function watched(data: object = {}) {
  const told: UnlabelledField[] = []
  const clock = { ms: 0, now: () => clock.ms }
  const { document: _, ...settings } = productAdditionSchema.parse({
    id: 'p',
    title: 'P',
    version: '1',
    upstream: 'http://127.0.0.1:1',
    document: 'x',
    data: { rows: '[]', domains: { a: ['id'] }, ...data },
  })
  const document = parseOpenApi(documentOf(paths), 'test')
  const onUnlabelled = (field: UnlabelledField) => void told.push(field)
  const product = createProduct({ settings, document, upstreamHeaders: [], onUnlabelled }, clock)
  const answer = (path: string, type: string, body: string) => {
    const matched = product.match({ method: 'GET', path, query: '?', headers: new Map(), body: Buffer.alloc(0) })
    const released = {
      release: wholeRelease(matched.data?.labels ?? []),
      means: { keyedHash: (text: string) => text, pseudonym: undefined },
    }
    const judged = { status: 200, headers: ['content-type', type], body: Buffer.from(body) }
    return Buffer.from(product.minimise(matched, judged, released).body).toString()
  }
  return { told, clock, answer, rows: (value: unknown) => answer('/rows', 'application/json', JSON.stringify(value)) }
}

test('a field without a label stays here and is told, without its value', () => {
  const { told, rows } = watched()
  assert.equal(rows([{ id: 1, diagnosis: 'SECRET' }]), '[{"id":1}]')
  assert.deepEqual(told, [{ product: 'p', operation: 'rows', field: 'diagnosis' }])
})

test('each field of a product is told once an hour', () => {
  const { told, clock, rows } = watched()
  rows([{ x: 1 }])
  clock.ms = 2_000
  rows([{ x: 1, y: 2 }])
  assert.deepEqual(
    told.map(({ field }) => field),
    ['x', 'y'],
  )
  clock.ms = 3_599_999
  rows([{ x: 1, y: 2 }])
  assert.equal(told.length, 2)
  clock.ms = 3_601_000
  rows([{ x: 1, y: 2 }])
  assert.deepEqual(
    told.map(({ field }) => field),
    ['x', 'y', 'x'],
  )
})

test('of an operation one answer a second is looked at', () => {
  const { told, clock, rows } = watched()
  rows([{ id: 1 }])
  clock.ms = 999
  rows([{ x: 1 }])
  assert.deepEqual(told, [])
  clock.ms = 1_000
  rows([{ x: 1 }])
  assert.equal(told.length, 1)
})

test('rows that come one by one are looked at too', () => {
  const { told, answer } = watched()
  assert.equal(answer('/lines', 'application/x-ndjson', '{"id":1,"diagnosis":"SECRET"}\n'), '{"id":1}\n')
  assert.deepEqual(told, [{ product: 'p', operation: 'lines', field: 'diagnosis' }])
})

test('fields of which it is said that they are withheld are not told', () => {
  const { told, rows } = watched({ withheld: ['diagnosis'] })
  assert.equal(rows([{ id: 1, diagnosis: { code: 'SECRET' } }]), '[{"id":1}]')
  assert.deepEqual(told, [])
})

test('what is released cannot be said to be withheld', () => {
  const faults = productAdditionSchema
    .safeParse({
      id: 'p',
      title: 'P',
      version: '1',
      upstream: 'http://127.0.0.1:1',
      document: 'x',
      data: { domains: { a: ['b.c'] }, withheld: ['x', 'b'] },
    })
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  assert.deepEqual(faults, ['data.withheld.1: `b.c`, which lies in it, is released'])
})
