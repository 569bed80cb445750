/** The SDK never loses its key: answers are lost, programs die, operators roll back, processes share a store; at a real
 *  node, the application's own. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import type { Fetch } from '@comity/core/ports'
import { createComityClient } from '../../client/src/client.ts'
import { addClient, issueKey, keysOf, startKeyNetwork, type IssuedTestKey } from './key-network.ts'
import { shortly, storeOf, type Store } from './key-store.ts'
import { testPurpose, type TestNetwork } from './test-network.ts'

/** A network that loses the answers, or the requests, that it is told to. */
function lossy(isLost: (method: string, path: string) => 'request' | 'answer' | undefined): Fetch {
  return async (input, init) => {
    const { pathname } = new URL(String(input))
    const lost = isLost(init?.method ?? '', pathname)
    if (lost === 'request') throw new TypeError('the request was lost')
    const answer = await fetch(input, init)
    if (lost === undefined) return answer
    await answer.arrayBuffer()
    throw new TypeError('the answer was lost')
  }
}

/** Loses the first of the exchanges with this method at the address of renewals. */
function losing(what: 'request' | 'answer', wanted: string): Fetch {
  let left = 1
  return lossy((method, path) => (path === '/~keys/renewal' && method === wanted && left-- > 0 ? what : undefined))
}

describe('a key that an application keeps', () => {
  let network: TestNetwork
  before(async () => {
    network = await startKeyNetwork({
      recipient(config) {
        const listen = config['listen'] as Record<string, object>
        listen['local'] = { ...listen['local'], authentication: 'keys' }
      },
    })
    await addClient(network.recipient, { id: 'app', kind: 'application', participant: undefined })
  })
  after(() => network[Symbol.asyncDispose]())

  const issue = () => issueKey(network.recipient, {}, 'app')
  const rotate = async (key: IssuedTestKey) => {
    const keys = await keysOf(network.recipient)
    const request = { successor: 'claim', retire: 'when-moved', quietSeconds: 3_600 } as const
    return (await keys.rotations.rotate(key.id, request, 'operator')).rotation.id
  }

  /** A program that is started with what the store has; its clock may be moved on. */
  function start(store: Store, fetch?: Fetch) {
    const program = { movedMs: 0, get: async (): Promise<unknown> => undefined }
    const client = createComityClient({
      node: network.recipient.local(''),
      purpose: testPurpose,
      apiKey: store,
      sleep: shortly,
      clock: { now: () => Date.now() + program.movedMs },
      maxAttempts: 1,
      ...(fetch && { fetch }),
    })
    program.get = async () => (await client.product('holder', 'items').get('/items/7')).data
    return program
  }

  /** Calls, each a minute after the last, until the store says so; none may fail. */
  async function callUntil(program: ReturnType<typeof start>, isSo: () => boolean): Promise<void> {
    for (let calls = 0; calls < 200 && !isSo(); calls += 1) {
      assert.deepEqual(await program.get(), { id: 7, name: 'item 7' })
      program.movedMs += 61_000
      await sleep(20)
    }
    assert.ok(isSo(), 'it never came to that')
  }

  const hasMoved = (store: Store, key: IssuedTestKey) => () => store.text.endsWith(` old=${key.text}`)

  for (const [what, method] of [
    ['answer', 'GET'],
    ['request', 'GET'],
    ['answer', 'POST'],
    ['request', 'POST'],
  ] as const) {
    test(`is renewed where the ${what} of a ${method} was lost, also by a program that was started anew`, async () => {
      const [first, second] = [await issue(), await issue()]
      const [store, other] = [storeOf(first.text), storeOf(second.text)]
      await rotate(first)
      const program = start(store, losing(what, method))
      await callUntil(program, hasMoved(store, first))
      await rotate(second)
      const dying = start(other, losing(what, method))
      await dying.get()
      await sleep(50)
      await callUntil(start(other), hasMoved(other, second))
    })
  }

  test('is good again when the operator rolls back, and calls go on', async () => {
    const key = await issue()
    const store = storeOf(key.text)
    const program = start(store)
    const rotation = await rotate(key)
    await callUntil(program, hasMoved(store, key))
    const keys = await keysOf(network.recipient)
    await keys.rotations.rollBack(rotation)
    await Promise.all(Array.from({ length: 8 }, () => program.get()))
    assert.equal(store.text, key.text, 'the key that was revoked is forgotten')
    await rotate(key)
    await callUntil(program, hasMoved(store, key))
  })

  test('is found by all processes that share its store, after the old one has ended too', async () => {
    const key = await issue()
    const store = storeOf(key.text)
    const [one, two, late] = [start(store), start(store), start(store)]
    await late.get()
    const rotation = await rotate(key)
    const isMoved = hasMoved(store, key)
    await Promise.all([callUntil(one, isMoved), callUntil(two, isMoved)])
    const keys = await keysOf(network.recipient)
    await keys.rotations.complete(rotation, 'operator')
    for (const program of [one, two, late, start(store)]) await program.get()
  })

  test('is found by machines that have the old one and stores of their own, if they call in time', async () => {
    const key = await issue()
    const stores = [storeOf(key.text), storeOf(key.text)]
    const rotation = await rotate(key)
    for (const store of stores) await callUntil(start(store), hasMoved(store, key))
    assert.equal(stores[0]?.text, stores[1]?.text)
    const keys = await keysOf(network.recipient)
    await keys.rotations.complete(rotation, 'operator')
    for (const store of stores) await start(store).get()
  })

  test('that was disabled for a while is used again, as is one that the operator writes into the store', async () => {
    const key = await issue()
    const store = storeOf(key.text)
    const program = start(store)
    await program.get()
    const { keys } = await keysOf(network.recipient)
    await keys.disable(key.id, { by: 'operator', reason: 'stopped' })
    await assert.rejects(program.get(), { code: 'key-disabled' })
    program.movedMs += 11_000
    const given = await issue()
    store.text += `\n${given.text}`
    await program.get()
    assert.ok(store.text.startsWith(`${given.text} `), 'what was added came into use')
    await keys.enable(key.id)
    await keys.revoke(given.id, { by: 'operator' })
    await program.get()
    assert.equal(store.text, key.text)
  })
})
