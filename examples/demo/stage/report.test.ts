import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectRefusal } from './calls.ts'
import { createReport } from './report.ts'
import type { Told } from './voices.ts'

function listen() {
  const told: Told[] = []
  const quiet = (): void => {}
  const voice = { begin: quiet, chapter: quiet, say: quiet, end: quiet, tell: (each: Told) => void told.push(each) }
  return { told, report: createReport(voice) }
}

const expected = { status: 401, code: 'nonce-replayed' }
const answer = (status: number, value: unknown) => ({ status, body: Buffer.from(JSON.stringify(value)) })

test('a step that should have been refused and was not counts as failed, and its data is not told', async () => {
  const { told, report } = listen()
  await report.attempt('replayed', async () => expectRefusal(answer(200, { name: 'secret' }), expected))
  await report.attempt('refused for another reason', async () =>
    expectRefusal(answer(401, { code: 'signature-stale', detail: 'late' }), expected),
  )
  assert.equal(report.failed, 2)
  assert.deepEqual(
    told.map(({ ok, detail }) => [ok, detail]),
    [
      [false, 'expected a refusal with 401 nonce-replayed, got 200'],
      [false, 'expected a refusal with 401 nonce-replayed, got 401 signature-stale: late'],
    ],
  )
})

test('a refusal as expected is told as its caller reads it', async () => {
  const { told, report } = listen()
  const problem = { code: 'nonce-replayed', title: 'The nonce was used before', detail: 'received before' }
  await report.attempt('replayed', async () => expectRefusal(answer(401, problem), expected))
  assert.equal(report.failed, 0)
  assert.equal(told[0]?.detail, '401 nonce-replayed')
  assert.equal(told[0]?.note, 'The nonce was used before: received before')
})

test('after an interruption no step begins and nothing is told', async () => {
  const { told, report } = listen()
  report.interrupt()
  await report.attempt('late', () => assert.fail('must not begin'))
  assert.deepEqual(told, [])
  assert.equal(report.done, 0)
})
