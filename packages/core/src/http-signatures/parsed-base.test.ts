import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../problems.ts'
import { parseSignatureBase } from './parsed-base.ts'

const path = new URL('../../../../vectors/rfc9421.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: { section: string; base: string }[] }
const base = cases[1]?.base ?? ''

const malformed = (error: unknown) => error instanceof Problem && error.code === 'signature-malformed'

test('RFC 9421 Appendix B.2: each base is read back into its components and parameters', () => {
  for (const { section, base: text } of cases) {
    assert.equal(parseSignatureBase(text).values.size, text.split('\n').length - 1, section)
  }
  const { values, params } = parseSignatureBase(base)
  assert.equal(values.get('"@query-param";name="Pet"'), 'dog')
  assert.equal(params.get('tag'), 'header-example')
})

test('refuses a base whose lines are not those of its list', () => {
  for (const text of [
    '',
    base.split('\n').slice(1).join('\n'),
    base.split('\n').slice(0, -1).join('\n'),
    `"date": x\n${base}`,
    `${base}\n`,
    base.replace('"@authority": ', '"@authority" : '),
    base.replace('"@authority" "content-digest"', '"@authority"  "content-digest"'),
    base.replace('"@authority" "content-digest"', '"content-digest" "@authority"'),
    base.replace(';created=1618884473', ';created=01618884473'),
    base.replace(';created=1618884473', ';created=1618884473;created=1618884473'),
    base.replace(';created=1618884473', ';created'),
    `${base}, ()`,
    '"@signature-params": "x"',
    '"a": 1\n"a": 1\n"@signature-params": ("a" "a")',
    `"@signature-params": ()${';a=1'.repeat(40_000)}`,
  ]) {
    assert.throws(() => parseSignatureBase(text), malformed, text.slice(0, 200))
  }
})

test('any other text is refused with a problem', () => {
  const text = fc.string({ unit: fc.constantFrom('"@signature-params": ', '("a")', '"a": ', '\n', ';a=1', 'x', '()') })
  fc.assert(
    fc.property(text, (made) => {
      try {
        parseSignatureBase(made)
      } catch (error) {
        assert.ok(malformed(error), String(error))
      }
    }),
    { numRuns: 200 },
  )
})
