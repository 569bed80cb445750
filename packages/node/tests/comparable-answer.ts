/** Answers as somebody who looks for differences compares them. */
import assert from 'node:assert/strict'
import type { Answer } from './signed-call.ts'

const drawnAnew = ['date', 'signature', 'signature-input', 'content-digest', 'comity-receipt', 'comity-exchange']

/** Everything of an answer that anybody could compare, without what is drawn anew for each. */
export function comparable(answer: Answer): object {
  const { requestId, ...body } = JSON.parse(answer.body.toString('utf8')) as Record<string, unknown>
  assert.equal(typeof requestId, 'string')
  const named = [...answer.headers].filter(([name]) => !drawnAnew.includes(name))
  return { status: answer.status, fields: [...answer.headers.keys()], named, body, bytes: answer.body.length }
}

/** No two of them differ in what can be compared. */
export function assertAlike(answers: readonly Answer[]): void {
  assert.ok(answers.length > 1)
  const [first, ...others] = answers.map(comparable)
  for (const other of others) assert.deepEqual(other, first)
}
