/** Programs without a node of their own, with a key at a partner's: they present it or sign with it, and the SDK renews it
 *  there. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import type { Fetch } from '@comity/core/ports'
import { createKeyedFetch, type KeyedFetchOptions } from '../../client/src/client.ts'
import { addClient, issueKey, keysOf, startKeyNetwork, type IssuedTestKey } from './key-network.ts'
import { shortly, storeOf, type Store } from './key-store.ts'
import { send } from './signed-call.ts'
import { testPurpose, type TestNetwork } from './test-network.ts'

const path = '/x/items/items/7'
const headers = { 'comity-purpose': testPurpose }

describe('a key at a partner’s node', () => {
  let network: TestNetwork
  const sent: string[] = []
  before(async () => {
    network = await startKeyNetwork()
    await addClient(network.holder)
  })
  after(() => network[Symbol.asyncDispose]())

  /** The test's own way to the holder, whose certificate no authority knows. */
  const overTheWire: Fetch = async (input, init = {}) => {
    const { host, pathname, search } = new URL(String(input))
    const fields = Object.entries({ host, ...(init.headers as Record<string, string>) })
    const call = {
      method: init.method ?? '',
      target: pathname + search,
      headers: fields,
      body: String(init.body ?? ''),
    }
    sent.push(JSON.stringify(call))
    const { status, headers: answered, body } = await send(network.holder, call)
    return new Response(new Uint8Array(body), { status, headers: [...answered] })
  }

  function start(store: Store | string, options: Partial<KeyedFetchOptions> = {}) {
    const node = network.holder.url
    return { call: createKeyedFetch({ node, apiKey: store, fetch: overTheWire, sleep: shortly, ...options }) }
  }

  const rotate = async (key: IssuedTestKey) => {
    const keys = await keysOf(network.holder)
    const request = { successor: 'claim', retire: 'when-moved', quietSeconds: 3_600 } as const
    return (await keys.rotations.rotate(key.id, request, 'operator')).rotation.id
  }

  const kinds = {
    'a presented key': { request: { use: 'plain' }, options: { use: 'plain' } },
    'a key that signs': { request: { use: 'hmac' }, options: { use: 'hmac' } },
    'a key that numbers its requests': {
      request: { use: 'hmac', sequence: true },
      options: { use: 'hmac', sequence: 'clock' },
    },
  } as const

  for (const [name, { request, options }] of Object.entries(kinds)) {
    test(`${name} is renewed under load, good again after a roll-back, and no call fails`, async () => {
      const key = await issueKey(network.holder, request)
      const store = storeOf(key.text)
      const { call } = start(store, options)
      const load = { isOver: false, calls: 0 }
      const work = async () => {
        while (!load.isOver) {
          const answer = await call(path, { headers })
          assert.equal(answer.status, 200, await answer.text())
          load.calls += 1
        }
      }
      const working = Promise.all(Array.from({ length: 3 }, work))
      working.catch(() => (load.isOver = true))
      const until = async (isSo: () => boolean) => {
        const enough = load.calls + 3_000
        while (!isSo() && !load.isOver && load.calls < enough) await sleep(5)
        const more = load.calls + 9
        while (!load.isOver && load.calls < more) await sleep(5)
      }
      const hasMoved = () => store.text.endsWith(` old=${key.text}`)
      const keys = await keysOf(network.holder)
      const first = await rotate(key)
      await until(hasMoved)
      await keys.rotations.rollBack(first)
      await until(() => store.text === key.text)
      const second = await rotate(key)
      await until(hasMoved)
      await keys.rotations.complete(second, 'operator')
      await until(() => true)
      load.isOver = true
      await working
      assert.ok(hasMoved(), 'renewed twice')
    })
  }

  test('that signs is never sent, nor its successor', async () => {
    const key = await issueKey(network.holder, { use: 'hmac' })
    const store = storeOf(key.text)
    const { call } = start(store, { use: 'hmac' })
    await rotate(key)
    sent.length = 0
    while (store.kept.length < 3) await call(path, { headers })
    const body = JSON.stringify({ name: 'item' })
    await call('/x/items/items', { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body })
    assert.ok(sent.some((request) => request.includes('/keys/renewal')))
    const secrets = store.text.split(' ').map((word) => word.split('_').at(-1) ?? assert.fail())
    assert.ok(secrets.every((secret) => sent.every((request) => !request.includes(secret.slice(0, 32)))))
  })

  test('goes to that node alone, over TLS, and stands in no error', async () => {
    const { text } = await issueKey(network.holder)
    const { call } = start(text)
    assert.equal((await call(`${network.holder.url}${path}`, { headers })).status, 200)
    sent.length = 0
    const elsewhere = [
      'https://elsewhere.example/x',
      '//elsewhere.example/x',
      'http://localhost/x',
      `https://a:b@${path}`,
    ]
    for (const address of elsewhere) await assert.rejects(call(address), { code: 'invalid-call' })
    await assert.rejects(call(path, { headers: { 'X-API-Key': text } }), { code: 'invalid-call' })
    await assert.rejects(start(storeOf('cmty_live_wrong')).call(path), { code: 'invalid-call' })
    const broken = { load: () => Promise.reject(new Error('no disk')), save: () => undefined }
    await assert.rejects(createKeyedFetch({ node: network.holder.url, apiKey: broken })(path), { code: 'invalid-call' })
    assert.deepEqual(sent, [])
    for (const node of ['http://holder.example', '/comity', 'https://holder.example/x', 'file:///x']) {
      assert.throws(() => createKeyedFetch({ node, apiKey: text }), { code: 'invalid-call' })
    }
    assert.throws(() => createKeyedFetch({ node: network.holder.url, apiKey: 'cmty_live_wrong' }), /mistyped/)
  })

  test('that was given as a text is not renewed, and its end is the answer', async () => {
    const key = await issueKey(network.holder)
    const { call } = start(key.text)
    const { keys } = await keysOf(network.holder)
    await keys.revoke(key.id, { by: 'operator' })
    const answer = await call(path, { headers })
    assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [401, 'key-revoked'])
  })
})
