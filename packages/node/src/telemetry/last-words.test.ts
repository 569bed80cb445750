import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { lastWords } from './last-words.ts'

const clock = { now: () => 1_700_000_000_000 }
const said = (error: unknown) => JSON.parse(lastWords(error, clock)) as { error: Record<string, unknown> }

function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

test('the text of a parser, which quotes what it read, is not told; where it happened is', () => {
  const error = thrownBy(() => JSON.parse('{"name": planted Kim Jansen}') as unknown)
  const line = said(error)
  assert.doesNotMatch(JSON.stringify(line), /planted|Kim/)
  assert.equal(line.error['name'], 'SyntaxError')
  assert.match(String(line.error['stack']), /last-words\.test\.ts/)
})

test('what hangs on an error is not told: its properties, its causes', () => {
  const error = new TypeError('no such member', { cause: new Error('planted cause') })
  Object.assign(error, { request: { headers: { authorization: 'planted' } }, body: 'planted' })
  const line = said(error)
  assert.doesNotMatch(JSON.stringify(line), /planted/)
  assert.equal(line.error['message'], 'no such member')
})

test('a problem and an error of the system are told by their text', () => {
  assert.match(String(said(new Problem('storage-failed', 'the disk is full')).error['message']), /disk is full/)
  const refused = Object.assign(new Error('listen EADDRINUSE'), { syscall: 'listen', code: 'EADDRINUSE' })
  assert.deepEqual([said(refused).error['code'], said(refused).error['message']], ['EADDRINUSE', 'listen EADDRINUSE'])
  assert.equal(said('planted').error['message'], undefined)
})
