import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { z } from 'zod'
import * as texts from './consent-texts.ts'
import { isCountryCode } from './country-codes.ts'
import { coversDomain, isDataDomain } from './data-domain.ts'

const takes = (schema: z.ZodType, value: unknown): boolean => schema.safeParse(value).success

test('an IRI has a scheme, no spaces, and is nothing that a browser would run', () => {
  for (const value of ['https://w3id.org/dpv#Marketing', 'urn:example:study-7', 'https://lab.example/सूचना']) {
    assert.ok(takes(texts.iri, value), value)
  }
  const wrong = [
    'Marketing',
    'https:',
    'https://a b',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,x',
    'https://w3id.org/dpv#Academic\u200bResearch',
    'https://w3id.org/dpv#Academic\u200eResearch',
    '',
  ]
  for (const value of wrong) assert.ok(!takes(texts.iri, value), value)
})

test('a link leads to the web', () => {
  for (const value of ['https://lab.example/a?b#c', 'http://localhost:8080/']) assert.ok(takes(texts.webUrl, value))
  for (const value of [
    'ftp://a.example',
    '//a.example',
    'https://',
    'https:///x',
    'https://a.example:99999/',
    'mailto:a@b.c',
  ]) {
    assert.ok(!takes(texts.webUrl, value), value)
  }
})

test('a hash is 32 bytes in one spelling of base64url', () => {
  const hash = 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg'
  assert.ok(takes(texts.sha256Hash, hash))
  for (const value of [`${hash}=`, hash.slice(1), `${hash.slice(0, -1)}h`, hash.replace('-', '+')]) {
    assert.ok(!takes(texts.sha256Hash, value), value)
  }
})

test('countries are those of ISO 3166-1 and Kosovo, in capitals', () => {
  for (const code of ['CH', 'DE', 'GB', 'XK', 'ZW']) assert.ok(isCountryCode(code), code)
  for (const code of ['UK', 'EU', 'ch', 'CHE', 'ZZ', '', 'toString']) assert.ok(!isCountryCode(code), code)
})

test('a domain covers itself and what lies below, not what begins alike', () => {
  assert.ok(coversDomain('health', 'health') && coversDomain('health', 'health.medication'))
  assert.ok(!coversDomain('health', 'healthcare') && !coversDomain('health.medication', 'health'))
  for (const id of ['health', 'health.medication', 'a_b-C.1']) assert.ok(isDataDomain(id), id)
  for (const id of ['', '.', 'a.', '.a', 'a..b', 'a b', 'a.b.c.d.e.f.g.h.i', 'é']) assert.ok(!isDataDomain(id), id)
})

test('a language is named by its tag, and has a text', () => {
  const notice = texts.localised(texts.text(10))
  assert.ok(takes(notice, { en: 'x', 'zh-Hant-TW': 'y', 'sr-Latn': 'z' }))
  const wrong = [{}, { e: 'x' }, { en_US: 'x' }, { en: '' }, { en: 'x'.repeat(11) }, { en: 7 }, ['x'], null]
  for (const value of wrong) assert.ok(!takes(notice, value), JSON.stringify(value))
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`aa-x${at}`, 'x']))
  assert.ok(!takes(notice, many))
})

test('a name with a character that nobody can see is refused, and the character is named', () => {
  assert.ok(takes(texts.nameText(20), 'می\u200cخواهم') && takes(texts.text(20), 'Sports\u200b Lab'))
  const { error } = texts.nameText(20).safeParse('Sports\u200b Lab')
  assert.deepEqual(
    error?.issues.map(({ message }) => message),
    ['holds U+200B, which nobody can see; write it without'],
  )
  assert.match(texts.text(20).safeParse('Lab\u{e0041}').error?.issues[0]?.message ?? '', /U\+E0041/)
})
