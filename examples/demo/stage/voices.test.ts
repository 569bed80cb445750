import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { jsonVoice, textVoice, type Told } from './voices.ts'

/** An output that keeps what is written, as a terminal or as a file. */
function output(isTTY: boolean) {
  const written: string[] = []
  const stream = { isTTY, columns: 80, write: (text: string) => written.push(text) > 0 }
  return { written, stream: stream as unknown as NodeJS.WriteStream }
}

const told: Told = { step: 'replayed request', ok: true, ms: 1_234, detail: '401 nonce-replayed', note: 'seen before' }

test('for programs each step is one object of four members on a line, and nothing else is said', () => {
  const { written, stream } = output(false)
  const voice = jsonVoice(stream)
  voice.chapter('What must fail', 'Each is refused.')
  voice.begin(told.step)
  voice.say('for people')
  voice.tell(told)
  voice.end()
  assert.deepEqual(written, [
    '{"step":"replayed request","ok":true,"ms":1234,"detail":"401 nonce-replayed; seen before"}\n',
  ])
})

test('a terminal sees the step that runs and its time, until its outcome takes that place', () => {
  const { written, stream } = output(true)
  const voice = textVoice(stream)
  voice.begin(told.step)
  assert.match(stripVTControlCharacters(written.join('')), /^\r… replayed request +[\d.]+ m?s$/)
  voice.tell(told)
  assert.equal(written[1], '\r\u001b[K', 'the line is taken back')
  assert.match(stripVTControlCharacters(written.at(-2) ?? ''), /^✓ replayed request +401 nonce-replayed {2}1\.2 s\n$/)
  assert.equal(stripVTControlCharacters(written.at(-1) ?? '').trim(), 'seen before')
})

test('a file sees outcomes only, and what failed is marked', () => {
  const { written, stream } = output(false)
  const voice = textVoice(stream)
  voice.begin(told.step)
  voice.tell({ ...told, ok: false, note: undefined })
  voice.end()
  assert.equal(written.length, 1)
  assert.match(stripVTControlCharacters(written[0] ?? ''), /^✗ replayed request/)
})
