import assert from 'node:assert/strict'
import { test } from 'node:test'
import { madeUpTime, settled } from '../tests/made-up-world.ts'
import { ComityError } from './comity-error.ts'
import { startDeadline } from './deadline.ts'
import { Pacer, type Lesson, type PacerOptions, type Priority, type Turn } from './pacer.ts'

const nothing: Lesson = { policy: null, rateLimit: null, isPushedBack: false, pauseMs: 0 }

function made(options: Partial<PacerOptions> = {}) {
  const time = madeUpTime()
  const pacer = new Pacer({ maxConcurrent: 4, maxQueued: 10, ...options }, time)
  /** Names in the order in which they got their turns, and codes of those that got none. */
  const events: string[] = []
  const turns = new Map<string, Turn>()
  function call(
    name: string,
    {
      timeoutMs = 60_000,
      isRepeated = false,
      priority = 'normal',
      signal,
    }: { timeoutMs?: number; isRepeated?: boolean; priority?: Priority; signal?: AbortSignal } = {},
  ) {
    const deadline = startDeadline({ timeoutMs, signal }, time)
    pacer.turn({ deadline, isRepeated, priority }).then(
      (turn) => (events.push(name), turns.set(name, turn)),
      (error: unknown) => events.push(`${name}:${error instanceof ComityError ? error.code : String(error)}`),
    )
  }
  return { time, events, call, end: (name: string, lesson: Lesson = nothing) => turns.get(name)?.end(lesson) }
}

test('gives turns in the order of asking, so many at once', async () => {
  const { events, call, end } = made({ maxConcurrent: 2 })
  for (const name of ['a', 'b', 'c', 'd']) call(name)
  await settled()
  assert.deepEqual(events, ['a', 'b'])
  end('a')
  await settled()
  assert.deepEqual(events, ['a', 'b', 'c'])
  end('b')
  end('c')
  await settled()
  assert.deepEqual(events, ['a', 'b', 'c', 'd'])
})

test('sends no more at once than there are slots, and more when others leave some', async () => {
  const { time, events, call, end } = made({ maxConcurrent: 8 })
  const slots = (left: number): Lesson => ({
    ...nothing,
    policy: '"at-once";q=3;qu="concurrent-requests"',
    rateLimit: `"at-once";r=${left}`,
  })
  call('first')
  await settled()
  end('first', slots(2))
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) call(name)
  await settled()
  assert.deepEqual(events.splice(0), ['first', 'a', 'b', 'c'])
  end('a', { ...slots(0), isPushedBack: true })
  await settled()
  assert.deepEqual(events.splice(0), [], 'somebody else has one of the three')
  end('b', slots(0))
  await settled()
  assert.deepEqual(events.splice(0), ['d'])
  end('c', slots(1))
  await settled()
  assert.deepEqual(events.splice(0), ['e', 'f'], 'and gave it back')
  await time.advance(30_000)
  assert.deepEqual(events, [], 'slots do not come back with time')
  end('d', nothing)
  await settled()
  assert.deepEqual(events, ['g'])
})

test('what is urgent goes first, what can wait last, and what was begun before either of its kind', async () => {
  const { events, call, end } = made({ maxConcurrent: 1 })
  call('first')
  call('idle', { priority: 'low' })
  call('a')
  call('urgent', { priority: 'high' })
  call('b')
  call('again', { isRepeated: true })
  call('urgent too', { priority: 'high' })
  for (const name of ['first', 'urgent', 'urgent too', 'again', 'a', 'b']) {
    await settled()
    end(name)
  }
  await settled()
  assert.deepEqual(events, ['first', 'urgent', 'urgent too', 'again', 'a', 'b', 'idle'])
})

test('a full queue gives up the newest call of the lowest priority', async () => {
  const { events, call } = made({ maxConcurrent: 1, maxQueued: 2 })
  call('first')
  call('idle', { priority: 'low' })
  call('a')
  call('urgent', { priority: 'high' })
  await settled()
  assert.deepEqual(events, ['first', 'idle:queue-full'])
  call('idle too', { priority: 'low' })
  await settled()
  assert.deepEqual(events.at(-1), 'idle too:queue-full')
})

test('begins with a few calls and takes on more with every good answer', async () => {
  const { events, call, end } = made({ maxConcurrent: 6 })
  for (let number = 0; number < 14; number += 1) call(String(number))
  await settled()
  assert.equal(events.length, 4)
  for (const [answers, started] of [
    [1, 6],
    [2, 8],
    [3, 9],
    [4, 10],
  ] as const) {
    end(String(answers - 1))
    await settled()
    assert.equal(events.length, started)
  }
})

test('waits for the announced budget, at its pace', async () => {
  const { time, events, call, end } = made()
  call('first')
  await settled()
  end('first', { ...nothing, policy: '"r";q=60;w=60', rateLimit: '"r";r=1;t=2' })
  for (const name of ['a', 'b', 'c']) call(name)
  await settled()
  assert.deepEqual(events, ['first', 'a'])
  await time.advance(1_999)
  assert.deepEqual(events, ['first', 'a'])
  await time.advance(1)
  assert.deepEqual(events, ['first', 'a', 'b'])
  await time.advance(1_000)
  assert.deepEqual(events, ['first', 'a', 'b', 'c'])
})

test('honours a pause, and goes on with less at once', async () => {
  const { time, events, call, end } = made({ maxConcurrent: 4 })
  for (const name of ['a', 'b', 'c', 'd']) call(name)
  await settled()
  for (const name of ['a', 'b', 'c', 'd']) end(name, { ...nothing, isPushedBack: true, pauseMs: 3_000 })
  for (const name of ['e', 'f', 'g']) call(name)
  await time.advance(2_999)
  assert.equal(events.length, 4)
  await time.advance(1)
  assert.deepEqual(events.slice(4), ['e'])
  end('e')
  await settled()
  assert.deepEqual(events.slice(4), ['e', 'f', 'g'])
})

test('a repeated attempt goes before the fresh ones, after those repeated earlier', async () => {
  const { events, call, end } = made({ maxConcurrent: 1, maxQueued: 2 })
  call('a')
  call('b')
  call('c')
  call('r1', { isRepeated: true })
  call('r2', { isRepeated: true })
  for (const name of ['a', 'r1', 'r2', 'b']) {
    await settled()
    end(name)
  }
  await settled()
  assert.deepEqual(events, ['a', 'r1', 'r2', 'b', 'c'])
})

test('refuses a call when the queue is full, and only then', async () => {
  const { events, call, end } = made({ maxConcurrent: 1, maxQueued: 1 })
  for (const name of ['a', 'b', 'c']) call(name)
  await settled()
  assert.deepEqual(events.toSorted(), ['a', 'c:queue-full'])
  end('a')
  end('b')
  await settled()
  call('d')
  end('b')
  await settled()
  assert.ok(events.includes('d'))
})

test('a queue of no length lets calls through while there is room', async () => {
  const { time, events, call } = made({ maxConcurrent: 1, maxQueued: 0 })
  call('a')
  call('b')
  await settled()
  assert.deepEqual(events.toSorted(), ['a', 'b:queue-full'])
  assert.equal(time.sleepers(), 2, 'the two deadlines of the test alone')
})

test('refuses at once what a pause outlasts', async () => {
  const { events, call, end } = made()
  call('a')
  await settled()
  end('a', { ...nothing, isPushedBack: true, pauseMs: 90_000 })
  call('b')
  await settled()
  assert.deepEqual(events, ['a', 'b:queue-timeout'])
})

test('a call whose time is up or whose caller left does not keep the others waiting', async () => {
  const { time, events, call, end } = made({ maxConcurrent: 1 })
  const caller = new AbortController()
  call('a')
  call('b', { timeoutMs: 1_000 })
  call('c', { signal: caller.signal })
  call('d')
  await time.advance(1_000)
  caller.abort('left')
  end('a')
  await settled()
  assert.deepEqual(events, ['a', 'b:timed-out', 'c:left', 'd'])
})

test('an answer that was overtaken does not raise the budget', async () => {
  const { events, call, end } = made()
  call('a')
  call('b')
  await settled()
  const policy = '"r";q=100;w=100'
  end('b', { ...nothing, policy, rateLimit: '"r";r=1;t=9' })
  end('a', { ...nothing, policy, rateLimit: '"r";r=9;t=9' })
  call('c')
  call('d')
  call('e')
  await settled()
  assert.deepEqual(events, ['a', 'b'])
})

test('keeps no timer when nobody waits', async () => {
  const { time, call, end } = made()
  const caller = new AbortController()
  call('a')
  await settled()
  end('a', { ...nothing, isPushedBack: true, pauseMs: 5_000 })
  call('b', { signal: caller.signal })
  await settled()
  assert.equal(time.sleepers(), 3)
  caller.abort()
  await settled()
  assert.equal(time.sleepers(), 2, 'the two deadlines of the test alone')
})
