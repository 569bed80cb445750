import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { HeldPoll } from './held-poll.ts'
import { askBody, createTestNetwork, holderDid, pairwiseOf, testGrants } from './held-test-network.ts'

async function scene() {
  const network = createTestNetwork()
  const lab = await network.participant('did:web:lab.example')
  const errors: unknown[] = []
  const { store, execute, clock } = lab.parts
  const poll = new HeldPoll({
    store,
    execute,
    clock,
    randomBytes,
    refresh: (id) => lab.held.refresh(id),
    onError: (error) => void errors.push(error),
  })
  const ask = async (reference?: string) => (await lab.held.ask({ partner: holderDid, request: askBody(reference) })).id
  const stateOf = async (id: string) => (await lab.held.show(id)).held.state
  return {
    network,
    lab,
    poll,
    errors,
    ask,
    stateOf,
    async [Symbol.asyncDispose]() {
      await poll[Symbol.asyncDispose]()
      await network[Symbol.asyncDispose]()
    },
  }
}

test('each round asks about what may become active, and about nothing else', async () => {
  await using s = await scene()
  const [first, second] = [await s.ask('1'), await s.ask('2')]
  s.network.clock.nowMs += 30_000
  await s.poll.round()
  assert.equal(s.network.holder.counts.states, 2)
  s.network.holder.grant(first, testGrants(), pairwiseOf('A'))
  s.network.holder.step(second, 'refused')
  s.network.clock.nowMs += 30_000
  await s.poll.round()
  assert.deepEqual([await s.stateOf(first), await s.stateOf(second)], ['active', 'refused'])
  const asked = s.lab.seen.length
  s.network.clock.nowMs += 30_000
  await s.poll.round()
  assert.equal(s.lab.seen.length, asked)
})

test('a paused consent whose end of the pause was not told is found active again', async () => {
  await using s = await scene()
  const id = await s.ask()
  s.network.holder.grant(id, testGrants(), pairwiseOf('A'))
  s.network.holder.step(id, 'paused')
  await s.lab.held.refresh(id)
  assert.equal(await s.stateOf(id), 'paused')
  s.network.holder.step(id, 'resumed')
  s.network.clock.nowMs += 30_000
  await s.poll.round()
  assert.equal(await s.stateOf(id), 'active')
})

test('a holder that is away is not asked for all of its consents, and asked again in the next round', async () => {
  await using s = await scene()
  const [first, second] = [await s.ask('1'), await s.ask('2')]
  const asked = s.lab.seen.length
  s.network.down.add(holderDid)
  s.network.clock.nowMs += 30_000
  await s.poll.round()
  assert.deepEqual([s.lab.seen.length - asked, s.errors.length], [1, 1])
  s.network.down.clear()
  for (const [index, id] of [first, second].entries()) {
    s.network.holder.grant(id, testGrants(), pairwiseOf(index === 0 ? 'A' : 'B'))
  }
  s.network.clock.nowMs += 30_000
  await s.poll.round()
  assert.deepEqual([await s.stateOf(first), await s.stateOf(second)], ['active', 'active'])
})

test('after a notice the details are read soon, more than once when that fails', async () => {
  await using s = await scene()
  const id = await s.ask()
  s.network.holder.grant(id, testGrants(), pairwiseOf('A'))
  s.network.down.add(holderDid)
  s.poll.readSoon(id)
  const deadline = Date.now() + 60_000
  while (s.lab.seen.length < 2 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5))
  s.network.down.clear()
  while ((await s.stateOf(id)) !== 'active' && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.equal(await s.stateOf(id), 'active')
})
