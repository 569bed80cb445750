import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { ConsentEvent, ConsentRecord } from './consent-record.ts'
import {
  eventHash,
  parseConsentEvent,
  parseConsentRecord,
  recordHash,
  verifyEventChain,
  verifyRecordChain,
} from './parse-record.ts'

function load(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../../vectors/consent/${name}`, import.meta.url), 'utf8'))
}

const { valid, invalid } = load('records.json') as {
  readonly valid: readonly { readonly name: string; readonly hash: string; readonly record: ConsentRecord }[]
  readonly invalid: readonly { readonly why: string; readonly pointer: string; readonly record: unknown }[]
}
const { events } = load('events.json') as {
  readonly events: readonly { readonly hash: string; readonly event: ConsentEvent }[]
}

for (const { name, hash, record } of valid) {
  test(`the record is read and has the hash that another program computed: ${name}`, () => {
    const read = parseConsentRecord(record)
    assert.deepEqual(read, record)
    assert.equal(recordHash(read), hash)
  })
}

for (const { why, pointer, record } of invalid) {
  test(`the record is refused: ${why}`, () => {
    assert.throws(
      () => parseConsentRecord(record),
      (error: { code: string; members: { errors: readonly { pointer: string }[] } }) => {
        assert.equal(error.code, 'consent-record-invalid')
        assert.deepEqual(
          error.members.errors.map((fault) => fault.pointer),
          [pointer],
        )
        return true
      },
    )
  })
}

test('the first two records are one series', () => {
  const [first, second] = valid.map(({ record }) => record)
  assert.ok(first !== undefined && second !== undefined)
  verifyRecordChain([first, second])
})

test('the steps are one series with the hashes that another program computed', () => {
  const read = events.map(({ event }) => parseConsentEvent(event))
  assert.deepEqual(
    read.map(eventHash),
    events.map(({ hash }) => hash),
  )
  verifyEventChain(read)
})
