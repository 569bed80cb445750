import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256Text } from '../crypto/crypto-node.ts'
import { Problem } from '../problems.ts'
import {
  compositeText,
  parseComposite,
  sliceBytes,
  sliceContent,
  sliceHash,
  sliceProblem,
  type Slice,
} from './composite-answer.ts'
import {
  compositeOutcome,
  partClaims,
  partId,
  partOfClaims,
  partOfId,
  partsClaims,
  partsText,
  type ExchangePart,
} from './composite-parts.ts'
import { exchangeEventBody, parseExchangeEvent } from './event.ts'

const hash = 'RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg'
const part = (name: string, changes: Partial<ExchangePart> = {}): ExchangePart => ({
  name,
  outcome: 'allowed',
  product: 'athletes',
  version: '1.0.0',
  operation: 'athlete',
  agreement: 'urn:uuid:1',
  purpose: 'https://w3id.org/dpv#ResearchAndDevelopment',
  consent: { id: 'c1', rev: 3, hash },
  released: ['name'],
  withheld: [],
  status: 200,
  responseHash: hash,
  ...changes,
})

const read = (slices: ReadonlyMap<string, Slice>) => parseComposite(Buffer.from(compositeText({ slices }))).slices

test('every content comes out of a composite as the very bytes that went in', () => {
  const types = fc.constantFrom('application/json', 'application/problem+json', 'text/csv', 'image/png', undefined)
  const json = fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)))
  const contents = fc.oneof(
    json,
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
    fc.uint8Array(),
  )
  fc.assert(
    fc.property(types, contents, (type, bytes) => {
      const content = sliceContent(type, bytes, false)
      const slice = {
        status: 200,
        salt: 'mZ3vNn0zTq1bq2yQw5d7Jg',
        ...(type !== undefined && { type }),
        ...(content && { content }),
      }
      const [back] = [...read(new Map([['a', slice]])).values()] as [Slice]
      assert.deepEqual(Buffer.from(sliceBytes(back)), Buffer.from(bytes))
      assert.equal(
        sliceHash(back),
        sha256Text(Buffer.concat([Buffer.from('mZ3vNn0zTq1bq2yQw5d7Jg.'), bytes]), 'base64url'),
      )
    }),
    { numRuns: 200 },
  )
})

test('JSON that two programs could read differently goes as text', () => {
  for (const text of ['{"a":1,"a":2}', '{"a":', '"\\ud800"', ' {"a":1}', '\ufeff{}']) {
    assert.equal(sliceContent('application/json', Buffer.from(text), false)?.as, 'text', text)
  }
  assert.equal(sliceContent('application/vnd.x+json; v=1', Buffer.from('{"n":1.0}'), false)?.as, 'body')
})

test('refuses what is no composite', () => {
  for (const text of [
    '',
    '[]',
    '{}',
    '{"parts":{}}',
    '{"parts":{"a":{"status":200}},"more":1}',
    '{"parts":{"A":{"status":200}}}',
    '{"parts":{"a":{"status":99}}}',
    '{"parts":{"a":{"status":200,"body":1,"text":"x"}}}',
    '{"parts":{"a":{"status":200,"other":1}}}',
    '{"parts":{"a":{"status":200,"base64":"*"}}}',
    '{"parts":{"a":{"status":200},"a":{"status":200}}}',
    '{"parts":{"a":{"status":200}},"stated":[{"name":"a"}]}',
  ]) {
    const isInvalid = (error: unknown) => error instanceof Problem && error.code === 'answer-invalid'
    assert.throws(() => parseComposite(Buffer.from(text)), isInvalid, text)
  }
})

test('tells a refusal of a node from an error of an API that looks like one', () => {
  const document = Buffer.from('{"type":"urn:comity:problem:consent-required","code":"consent-required"}')
  const type = 'application/problem+json'
  const slice = (isProblem: boolean) => {
    const content = sliceContent(type, document, isProblem)
    return sliceProblem({ status: 403, type, ...(content && { content }) })
  }
  assert.deepEqual([slice(true), slice(false)], ['consent-required', undefined])
})

test('a receipt lists the parts, or the hash of the list when that is long; either matches the event', () => {
  const few = [part('a'), part('b', { consent: undefined })]
  assert.deepEqual(
    partsClaims(few).parts?.map(({ name }) => name),
    ['a', 'b'],
  )
  assert.deepEqual(partsClaims(undefined), {})
  const many = Array.from({ length: 16 }, (_, at) => part(`p${at}`))
  const { parts, pth } = partsClaims(many)
  assert.equal(parts, undefined)
  assert.equal(partsText({ pth }), partsText({ parts: many.map(partClaims) }))
  for (const list of [few, many]) {
    const atRecipient = list.map((one) => partOfClaims(partClaims(one), undefined))
    assert.equal(partsText(partsClaims(atRecipient)), partsText(partsClaims(list)))
    const event = { id: '1', role: 'holder', outcome: 'allowed', time: 1, method: 'POST', parts: list } as const
    assert.deepEqual(
      JSON.parse(JSON.stringify(parseExchangeEvent(exchangeEventBody(event)).parts)),
      JSON.parse(JSON.stringify(list)),
    )
  }
})

test('a part with long lists of fields has their hash, the same for who knows only that', () => {
  const long = part('a', { released: Array.from({ length: 80 }, (_, at) => `field.number.${at}`) })
  const claims = partClaims(long)
  assert.deepEqual([claims.rel, typeof claims.fld], [undefined, 'string'])
  assert.deepEqual(partClaims(partOfClaims(claims, undefined)).fld, claims.fld)
})

test('an event with a part twice is none', () => {
  const event = { id: '1', role: 'holder', outcome: 'allowed', time: 1, method: 'POST' } as const
  assert.throws(() => parseExchangeEvent(exchangeEventBody({ ...event, parts: [part('a'), part('a')] })))
  assert.throws(() => parseExchangeEvent(exchangeEventBody({ ...event, parts: [] })))
})

test('a composite went as well as its best part', () => {
  const of = (...outcomes: ExchangePart['outcome'][]) => compositeOutcome(outcomes.map((outcome) => ({ outcome })))
  assert.deepEqual(
    [of('failed', 'denied', 'allowed'), of('failed', 'denied'), of('failed')],
    ['allowed', 'denied', 'failed'],
  )
})

test('the id of a part is that of its exchange and its name', () => {
  const id = '0190a7b0-0000-7000-8000-000000000001'
  assert.deepEqual(partOfId(partId(id, 'a-b')), { exchange: id, name: 'a-b' })
  assert.equal(partOfId(id), undefined)
})
