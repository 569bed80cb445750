import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import { test } from 'node:test'
import { startEvenTime } from './even-time.ts'

test('a span is over no earlier than it should, whenever it is waited for', async () => {
  for (let round = 0; round < 20; round += 1) {
    const startedMs = performance.now()
    const isOver = startEvenTime(3)
    await isOver()
    assert.ok(performance.now() - startedMs >= 3)
    await isOver()
  }
})
