import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { assertRestartsLikeStarts, killRounds } from './kill-harness.ts'

const rounds = 50

test(`a holder killed ${rounds} times under load loses no answered exchange, and its log only grows`, async (context) => {
  const seed = Number(process.env['COMITY_SEED'] ?? randomInt(2 ** 31))
  context.diagnostic(`seed ${seed}`)
  const report = await killRounds(rounds, seed)
  context.diagnostic(JSON.stringify(report))
  assert.ok(report.openIntents > 0, 'some kills hit a write between its intent and its outcome')
  assertRestartsLikeStarts(report)
})
