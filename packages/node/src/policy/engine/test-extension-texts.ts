/** Texts that are almost addresses, decimals, moments or spans: what Cedar can read of them, the compiled engine reads,
 *  to the same value. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { cedarEngine } from './cedar-engine.ts'
import { loadCedar } from './cedar-wasm.ts'
import { compiledEngine } from './compiled-engine.ts'
import type { PreparedPolicy, PreparedSet } from './policy-engine.ts'

const good = {
  ip: ['10.0.0.1', '192.168.255.0/24', '2001:db8::/32', '::1', 'fe80::1:2:3/64', '1:2:3:4:5:6:7:8', '0.0.0.0/0', '::'],
  decimal: ['0.0', '-1.5', '12.3456', '922337203685477.5807', '-922337203685477.5808', '00.10'],
  datetime: [
    '2026-11-22',
    '2026-11-22T07:30:00Z',
    '2024-02-29T23:59:59.999Z',
    '1969-12-31T00:00:00+0100',
    '0000-12-31T00:00:00.001-2359',
  ],
  duration: ['1d', '-1d2h3m4s5ms', '90s', '106751991167d7h12m55s807ms', '-9223372036854775808ms', '0ms'],
} as const

/** What is asked of two texts, so that equal mistakes show, and equal values. */
const conditions: Readonly<Record<keyof typeof good, readonly string[]>> = {
  ip: [
    'ip(context.a) == ip(context.b)',
    'ip(context.a).isInRange(ip(context.b))',
    'ip(context.a).isLoopback() || ip(context.a).isMulticast()',
  ],
  decimal: ['decimal(context.a) == decimal(context.b)', 'decimal(context.a).lessThan(decimal(context.b))'],
  datetime: [
    'datetime(context.a) == datetime(context.b)',
    'datetime(context.a) < datetime(context.b)',
    'datetime(context.a).toTime() < datetime(context.b).toTime()',
    'datetime(context.a).toDate() == datetime(context.b).toDate()',
  ],
  duration: [
    'duration(context.a) == duration(context.b)',
    'duration(context.a) < duration(context.b)',
    'duration(context.a).toHours() == duration(context.b).toHours()',
    'datetime("2026-11-22").offset(duration(context.a)).toTime() < duration("12h")',
  ],
}

/** A good text with one to three characters taken out, put in or changed, and sometimes none. */
function almost(texts: readonly string[]): fc.Arbitrary<string> {
  const character = fc.constantFrom(...'0123456789abfgTZdhms.:+-/% é')
  const edit = fc.tuple(fc.nat(40), fc.constantFrom(0, 1), fc.option(character, { nil: '' }))
  return fc.tuple(fc.constantFrom(...texts), fc.array(edit, { maxLength: 3 })).map(([text, edits]) =>
    edits.reduce((edited, [at, taken, put]) => {
      const place = edited.length === 0 ? 0 : at % (edited.length + 1)
      return edited.slice(0, place) + put + edited.slice(place + taken)
    }, text),
  )
}

function setOf(texts: readonly string[]): PreparedSet {
  const policies = texts.map((condition, at): PreparedPolicy => {
    const text = `permit(principal, action, resource) when { ${condition} };`
    const answer = loadCedar().policyToJson(text)
    assert.ok(answer.type === 'success')
    return { id: `p${at}`, effect: 'permit', text, json: answer.json, annotations: {} }
  })
  return { policies, hash: 'extension-texts', warnings: [] }
}

/** The types whose texts are compared. */
export const extensionKinds = Object.keys(good) as (keyof typeof good)[]

/** Compares so many pairs of texts; gives how many of them could be read. Throws with the smallest that differs. */
export function compareTexts(kind: keyof typeof good, pairs: number): number {
  const set = setOf(conditions[kind])
  const [compiled, cedar] = [compiledEngine(set), cedarEngine(set)]
  const uid = { type: 'T', id: 't' }
  let read = 0
  const property = fc.property(almost(good[kind]), almost(good[kind]), (a, b) => {
    const request = { principal: uid, action: uid, resource: uid, context: { a, b }, entities: [] }
    const [mine, reference] = [compiled.decide(request), cedar.decide(request)]
    assert.deepEqual(mine.reasons, reference.reasons)
    assert.deepEqual(
      mine.errors.map(({ policy }) => policy),
      reference.errors.map(({ policy }) => policy),
    )
    if (mine.errors.length === 0) read++
  })
  fc.assert(property, { numRuns: pairs })
  return read
}
