import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { createTurns } from './turns.ts'

test('works of one key run one after the other, in their order, also after a failure', async () => {
  const turns = createTurns()
  const told: string[] = []
  const work = (name: string, ms: number) => async () => {
    told.push(`${name} begins`)
    await sleep(ms)
    told.push(`${name} ends`)
    if (name === 'b') throw new Error(name)
    return name
  }
  const results = await Promise.allSettled([
    turns('k', work('a', 20)),
    turns('k', work('b', 5)),
    turns('k', work('c', 0)),
  ])
  assert.deepEqual(told, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
})

test('works of different keys do not wait for each other', async () => {
  const turns = createTurns()
  const never = Promise.withResolvers<void>()
  const waiting = turns('a', () => never.promise)
  assert.equal(await turns('b', async () => 1), 1)
  never.resolve()
  await waiting
})
