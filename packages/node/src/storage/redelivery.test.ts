import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redelivery, type DeliveryOutcome } from './redelivery.ts'

interface Letter {
  readonly name: string
  readonly to: string
  attempts: number
  dueMs: number
  isDone: boolean
  error?: string
}

type Answer = (letter: Letter, signal: AbortSignal) => Promise<DeliveryOutcome | undefined>

/** An outbox of letters such as `a1`, to `a`, and what became of them. */
function outbox(answer: Answer, { names = ['a1', 'a2', 'b1', 'c1'], maxAtOnce = 2 } = {}) {
  const clock = { nowMs: 1_000, now: () => clock.nowMs }
  const letters: Letter[] = names.map((name) => ({ name, to: name.charAt(0), attempts: 0, dueMs: 0, isDone: false }))
  const due = (nowMs: number) => letters.filter(({ isDone, dueMs }) => !isDone && dueMs <= nowMs)
  const [tried, errors]: [string[], unknown[]] = [[], []]
  const redelivery = new Redelivery<Letter>({
    clock,
    randomBytes: (length) => new Uint8Array(length).fill(128),
    maxAtOnce,
    findReceivers: async (nowMs) => [
      ...new Set(
        due(nowMs)
          .toSorted((x, y) => x.dueMs - y.dueMs)
          .map(({ to }) => to),
      ),
    ],
    nextDueMs: async (afterMs) =>
      letters.filter(({ isDone, dueMs }) => !isDone && dueMs > afterMs).toSorted((x, y) => x.dueMs - y.dueMs)[0]?.dueMs,
    findDue: async (to, nowMs) => due(nowMs).filter((letter) => letter.to === to),
    async attempt(letter, signal) {
      tried.push(letter.name)
      const outcome = await answer(letter, signal)
      if (outcome === undefined || outcome.acknowledged) letter.isDone = true
      return outcome
    },
    saveFailed: async (letter, { attempts, nextAttemptMs, error }) =>
      void Object.assign(letter, { attempts, dueMs: nextAttemptMs, error }),
    postpone: async (to, untilMs) => {
      for (const one of letters) if (one.to === to) one.dueMs = Math.max(one.dueMs, untilMs)
    },
    onError: (error) => errors.push(error),
  })
  return { clock, letters, tried, errors, redelivery, left: () => due(Infinity).map(({ name }) => name) }
}

const taken = async (): Promise<DeliveryOutcome> => ({ acknowledged: true })

test('delivers everything, in order for each receiver, with no more receivers at once than allowed', async () => {
  let atOnce = 0
  let most = 0
  const { redelivery, tried, left } = outbox(async () => {
    most = Math.max(most, (atOnce += 1))
    await sleep(2)
    atOnce -= 1
    return { acknowledged: true }
  })
  await using stack = new AsyncDisposableStack()
  stack.use(redelivery).wake()
  await redelivery.settled()
  assert.deepEqual([left(), most, tried.toSorted()], [[], 2, ['a1', 'a2', 'b1', 'c1']])
  assert.ok(tried.indexOf('a1') < tried.indexOf('a2'))
})

test('one that does not answer holds up nobody else', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { redelivery, left } = outbox(async ({ to }) => {
    if (to === 'a') await promise
    return taken()
  })
  redelivery.wake()
  for (let tries = 0; left().length > 2 && tries < 30_000; tries += 1) await sleep(2)
  assert.deepEqual(left(), ['a1', 'a2'])
  resolve()
  await redelivery.settled()
  assert.deepEqual(left(), [])
  await redelivery[Symbol.asyncDispose]()
})

test('one that is slow and refuses everything gives its place up to those who wait, and goes behind them', async () => {
  const { redelivery, tried, clock } = outbox(
    async ({ to }) => {
      if (to === 'b') return taken()
      clock.nowMs += 10_000
      return { acknowledged: false, reason: 'status 400', isRefused: true }
    },
    { names: ['a1', 'a2', 'a3', 'b1', 'c1', 'c2'], maxAtOnce: 1 },
  )
  redelivery.wake()
  await redelivery.settled()
  assert.deepEqual(tried, ['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
  await redelivery[Symbol.asyncDispose]()
})

test('after a failure the rest for the receiver waits as well; a refusal puts off one entry alone', async () => {
  const { redelivery, tried, letters, clock } = outbox(
    async ({ name }) => {
      if (name === 'a1') return { acknowledged: false, reason: 'away', retryAfterMs: 60_000 }
      return name === 'b1' ? { acknowledged: false, reason: 'refused', isRefused: true } : taken()
    },
    { names: ['a1', 'a2', 'b1', 'b2'] },
  )
  redelivery.wake()
  await redelivery.settled()
  assert.deepEqual(tried.toSorted(), ['a1', 'b1', 'b2'])
  const of = (name: string) => letters.find((letter) => letter.name === name)
  assert.deepEqual([of('a1')?.attempts, of('a1')?.error, of('a2')?.attempts], [1, 'away', 0])
  assert.ok((of('a1')?.dueMs ?? 0) >= clock.nowMs + 60_000 && of('a2')?.dueMs === of('a1')?.dueMs)
  assert.ok((of('b1')?.dueMs ?? 0) >= clock.nowMs + 30 * 60_000)
  clock.nowMs += 62_000
  redelivery.wake()
  await redelivery.settled()
  assert.deepEqual(tried.slice(3), ['a1'])
  await redelivery[Symbol.asyncDispose]()
})

test('what there is nothing left of is not tried again, and stops nothing', async () => {
  const { redelivery, tried, left } = outbox(async ({ name }) => (name === 'a1' ? undefined : taken()))
  redelivery.wake()
  await redelivery.settled()
  assert.deepEqual([left(), tried.length], [[], 4])
  await redelivery[Symbol.asyncDispose]()
})

test('a try that the stop cut off is not counted, and nothing begins after it', async () => {
  const { redelivery, letters, tried } = outbox(
    (_, signal) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => resolve({ acknowledged: false, reason: 'stopped' })),
      ),
    { names: ['a1', 'a2'] },
  )
  redelivery.wake()
  for (let tries = 0; tried.length === 0 && tries < 30_000; tries += 1) await sleep(2)
  await redelivery[Symbol.asyncDispose]()
  redelivery.wake()
  await redelivery.settled()
  assert.deepEqual([tried, letters.map(({ attempts }) => attempts)], [['a1'], [0, 0]])
})

test('what goes wrong on this side is told, and does not end the deliveries', async () => {
  let isBroken = true
  const { redelivery, errors, left } = outbox(async ({ to }) => {
    if (to === 'a' && isBroken) throw new Error('disk full')
    return taken()
  })
  redelivery.wake()
  await redelivery.settled()
  assert.deepEqual([[...new Set(errors.map(String))], left()], [['Error: disk full'], ['a1', 'a2']])
  isBroken = false
  redelivery.wake()
  await redelivery.settled()
  assert.deepEqual(left(), [])
  await redelivery[Symbol.asyncDispose]()
})
