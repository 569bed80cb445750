import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wholeRelease } from '@comity/core/minimisation/whole-release'
import type { FieldTransform } from '@comity/core/consent/consent-scope'
import { Problem } from '@comity/core/problems'
import { parseOpenApi } from '../openapi/openapi.ts'
import { productAdditionSchema } from '../product-config.ts'
import { createProduct } from '../product.ts'
import { documentOf } from '../products-test-kit.ts'

const row = {
  type: 'object',
  properties: { id: { type: 'integer' }, x: { type: 'number' }, y: { maximum: 1_000 }, any: true },
}
const paths = {
  '/rows': {
    get: {
      operationId: 'rows',
      responses: {
        200: { description: 'ok', content: { 'application/json': { schema: { type: 'array', items: row } } } },
      },
    },
  },
}
const { document: _, ...settings } = productAdditionSchema.parse({
  id: 'p',
  title: 'P',
  version: '1',
  upstream: 'http://127.0.0.1:1',
  data: { rows: '[]', domains: { a: ['id', 'x', 'y', 'any'] } },
  document: 'x',
})
const document = parseOpenApi(documentOf(paths), 'test')
const product = createProduct({ settings, document, upstreamHeaders: [] }, { now: () => 0 })
const matched = product.match({ method: 'GET', path: '/rows', query: '?', headers: new Map(), body: Buffer.alloc(0) })

/** The body that leaves, or why none does. */
function left(body: string | Buffer, transforms: readonly FieldTransform[] = []): string {
  const whole = wholeRelease(matched.data?.labels ?? [])
  const release = { ...whole, parts: whole.parts.map((part) => ({ ...part, transforms })) }
  const means = { keyedHash: (text: string) => `h(${text})`, pseudonym: undefined }
  const answer = { status: 200, headers: ['content-type', 'application/json'], body: Buffer.from(body) }
  try {
    return Buffer.from(product.minimise(matched, answer, { release, means }).body).toString()
  } catch (error) {
    assert.ok(error instanceof Problem && error.code === 'upstream-invalid', String(error))
    return (error.cause as Error).message
  }
}

const digits = '123456789012345678901234567890'
for (const number of ['1.0', digits, `-${digits}.5`, '1e400', '-1E-400', '0.10', '9007199254740993', '1e2']) {
  test(`the number ${number} leaves as it came`, () => {
    assert.equal(left(`[{"x":${number},"any":[{"deep":${number}}]}]`), `[{"x":${number},"any":[{"deep":${number}}]}]`)
  })
}

test('the schema judges a number by its size, however it is written', () => {
  assert.equal(left(`[{"id":${digits}}]`), `[{"id":${digits}}]`)
  assert.match(left('[{"id":1.5}]'), /`\/0\/id` must be integer/)
  assert.match(left('[{"y":1e400}]'), /`\/0\/y` must be <= 1000/)
  assert.equal(left('[{"y":-1e400}]'), '[{"y":-1e400}]')
})

test('a number is changed where a transform asks for it, and as exactly as it was written', () => {
  const round: FieldTransform = { path: 'x', op: 'round', arg: 10 }
  assert.equal(left(`[{"x":${digits}.7}]`, [round]), `[{"x":${digits}}]`)
  assert.equal(left('[{"x":1.50e1}]', [round]), '[{"x":20}]')
  assert.equal(left('[{"x":-1.50e1}]', [round]), '[{"x":-10}]')
  assert.equal(left(`[{"x":${digits}}]`, [{ path: 'x', op: 'mask' }]), `[{"x":"${'*'.repeat(26)}7890"}]`)
  assert.equal(
    left('[{"x":1.0},{"x":1},{"x":10e-1}]', [{ path: 'x', op: 'hash' }]),
    '[{"x":"h(1)"},{"x":"h(1)"},{"x":"h(1)"}]',
  )
})

const wrong: [string, string | Buffer, RegExp][] = [
  ['a member twice', '[{"x":1,"x":2}]', /`\/0` the body has a member twice \(`duplicate-member`\)/],
  ['bytes that are no text', Buffer.from('[{"any":"\xff"}]', 'latin1'), /the body is not UTF-8 \(`invalid-utf8`\)/],
  ['half of a character', String.raw`[{"any":"\udc00SECRET"}]`, /`\/0\/any` the body holds half of a character/],
  ['what is no JSON', '[{"any":SECRET}]', /the body is not JSON \(`malformed`\)/],
  ['too many levels', `[{"any":${'['.repeat(70)}${']'.repeat(70)}}]`, /`too-deep`/],
  [
    'too many members',
    `[{"any":{${Array.from({ length: 65_537 }, (_each, at) => `"m${at}":0`).join()}}}]`,
    /`\/0\/any` .*`too-wide`/,
  ],
]

for (const [name, body, reason] of wrong) {
  test(`an answer with ${name} does not leave, and the operator reads the place and the rule`, () => {
    assert.match(left(body), reason)
    assert.doesNotMatch(left(body), /SECRET/)
  })
}
