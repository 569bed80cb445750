import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { assertRestartsLikeStarts, killRounds } from './kill-harness.ts'

test('a holder killed 5 times under load loses no answered exchange and comes back by itself', async (context) => {
  const seed = Number(process.env['COMITY_SEED'] ?? randomInt(2 ** 31))
  context.diagnostic(`seed ${seed}`)
  const report = await killRounds(5, seed)
  context.diagnostic(JSON.stringify(report))
  assert.ok(report.answers > 50, 'there was load')
  assertRestartsLikeStarts(report)
})
