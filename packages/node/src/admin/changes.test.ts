import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { hashOf, recorded } from './changes.ts'
import type { AdminChange } from './ports.ts'

const change: AdminChange = { action: 'partner-add', target: 'lab', after: 'x' }

function recorder(fail = false) {
  const written: string[] = []
  return {
    written,
    async recordChange({ target, problem = 'done' }: AdminChange) {
      if (fail) throw new Problem('record-failed', 'the disk is full')
      written.push(`${target} ${problem}`)
    },
  }
}

test('a change is in the log before it takes effect', async () => {
  const log = recorder()
  const seen = await recorded(log, change, async () => [...log.written])
  assert.deepEqual(seen, ['lab done'])
  assert.deepEqual(log.written, ['lab done'])
})

test('what cannot be recorded is not done', async () => {
  let done = false
  const work = async () => void (done = true)
  await assert.rejects(recorded(recorder(true), change, work), { code: 'record-failed' })
  assert.equal(done, false)
})

test('a change that fails is recorded once more with its problem, and the problem goes on', async () => {
  const log = recorder()
  const refuse = () => Promise.reject(new Problem('already-exists', 'it is there'))
  await assert.rejects(recorded(log, change, refuse), { code: 'already-exists' })
  assert.deepEqual(log.written, ['lab done', 'lab already-exists'])
})

test('a hash depends on what is there, not on the order of members', () => {
  assert.equal(hashOf({ a: 1, b: [2] }), hashOf({ b: [2], a: 1 }))
  assert.notEqual(hashOf({ a: 1 }), hashOf({ a: 2 }))
  assert.match(hashOf({}), /^[A-Za-z0-9_-]{43}$/)
})
