import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import fc from 'fast-check'
import { isUsualDateTime } from './usual-date-time.ts'

const { validate } = fullFormats['date-time'] as { validate: (text: string) => boolean }

const number = (max: number) => fc.integer({ min: 0, max }).map((value) => String(value).padStart(2, '0'))
const fraction = fc.stringMatching(/^(\.\d{0,4})?$/)
const zone = fc.oneof(
  fc.constantFrom('Z', 'z', '', '+', '+01', '-0130', '+24:00', '-23:59', '+01:60', 'ZZ', 'Z '),
  fc
    .tuple(fc.constantFrom('+', '-'), number(25), number(61))
    .map(([sign, hours, minutes]) => `${sign}${hours}:${minutes}`),
)
const nearDateTime = fc
  .tuple(
    fc.tuple(number(10_000), number(14), number(33)).map((date) => date.join('-').padStart(10, '0')),
    fc.constantFrom('T', 't', ' ', ''),
    fc.tuple(number(25), number(61), number(61)).map((time) => time.join(':')),
    fraction,
    zone,
  )
  .map((parts) => parts.join(''))

test('takes nothing that the full check refuses', () => {
  const text = fc.oneof(
    nearDateTime,
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  )
  const property = fc.property(text, (value) => !isUsualDateTime(value) || validate(value))
  fc.assert(property, { numRuns: 2_000 })
})

test('takes a single character changed anywhere only where the full check does', () => {
  const [original, replacements] = ['2024-05-17T08:30:00.25+02:00', '0123456789:-+.TtZz \n٣']
  for (const at of original.split('').keys()) {
    for (const replacement of replacements) {
      const changed = `${original.slice(0, at)}${replacement}${original.slice(at + 1)}`
      assert.ok(!isUsualDateTime(changed) || validate(changed), changed)
    }
  }
})

test('takes the usual forms', () => {
  const usual = ['2024-05-17T08:30:00Z', '1999-12-31T23:59:59.123456Z', '2024-02-28T00:00:00-11:30']
  for (const text of usual) assert.equal(isUsualDateTime(text), true, text)
})
