import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { eventCommitment, eventEntry, parseEventEntry, verifyEvent } from './event-commitment.ts'

const salt = new Uint8Array(32).fill(7)

test('an event entry is the prefix and the base64url of SHA-256 over domain, salt and text', () => {
  for (const body of ['{"ä":1}', '', '€'.repeat(5_445), '€'.repeat(5_446), `{"long":"${'ä😀'.repeat(9_000)}"}`])
    checkEntry(body)
})

function checkEntry(body: string): void {
  const expected = createHash('sha256').update('comity/v1/event\0').update(salt).update(body, 'utf8').digest()
  const commitment = eventCommitment(body, salt)
  assert.equal(Buffer.from(commitment).toString('hex'), expected.toString('hex'))
  const entry = eventEntry(commitment)
  assert.equal(Buffer.from(entry).toString(), `comity/v1 ${expected.toString('base64url')}`)
  assert.equal(Buffer.from(parseEventEntry(entry)).toString('hex'), expected.toString('hex'))
}

test('an event verifies with its own text and salt only', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.nat({ max: 255 }), (body, other, bit) => {
      const entry = eventEntry(eventCommitment(body, salt))
      verifyEvent({ entry, body, salt })
      const wrongSalt = salt.with(bit >> 3, salt[bit >> 3]! ^ (1 << (bit & 7)))
      assert.throws(() => verifyEvent({ entry, body, salt: wrongSalt }), { code: 'proof-invalid' })
      assert.throws(() => verifyEvent({ entry, body: `${body}x${other}`, salt }), { code: 'proof-invalid' })
    }),
  )
})

test('refuses an entry of another form and a salt of another length', () => {
  for (const text of [
    '',
    'comity/v1 ',
    'comity/v1 AAAA',
    `comity/v2 ${'A'.repeat(43)}`,
    `comity/v1 ${'A'.repeat(42)}B`,
  ]) {
    assert.throws(() => parseEventEntry(Buffer.from(text)), { code: 'proof-invalid' }, text)
  }
  assert.throws(() => parseEventEntry(Uint8Array.of(0xff, 0xfe)), { code: 'proof-invalid' })
  assert.throws(() => eventCommitment('{}', salt.subarray(1)), { code: 'proof-invalid' })
})
