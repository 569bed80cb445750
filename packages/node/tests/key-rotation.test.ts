/** An API key is changed while calls run: clients are told, get the next one themselves, and no call fails. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test } from 'node:test'
import { createComityClient, type VersionEnd } from '../../client/src/client.ts'
import {
  addClient,
  answered,
  issueKey,
  keysOf,
  presentKey,
  refusedFor,
  signWithKey,
  startKeyNetwork,
} from './key-network.ts'
import { shortly, storeOf } from './key-store.ts'
import { send } from './signed-call.ts'
import { testPurpose } from './test-network.ts'

const renewal = { path: '/keys/renewal', headers: {} }
const quickly = { retire: 'when-moved', quietSeconds: 1, overlapDays: 1 / 86_400 } as const

describe('a key that is being rotated', () => {
  test('is renewed by the SDK under load, and of all calls none fails', async () => {
    await using network = await startKeyNetwork({
      recipient: (config) => {
        const listen = config['listen'] as Record<string, object>
        listen['local'] = { ...listen['local'], authentication: 'keys' }
      },
    })
    const { recipient } = network
    await addClient(recipient, { id: 'app', kind: 'application', participant: undefined })
    const key = await issueKey(recipient, {}, 'app')
    const store = storeOf(key.text)
    const ends: VersionEnd[] = []
    const client = createComityClient({
      node: recipient.local(''),
      purpose: testPurpose,
      apiKey: store,
      onVersionEnd: (end) => void ends.push(end),
      sleep: shortly,
      maxAttempts: 1,
    })
    const items = client.product('holder', 'items')
    const keys = await keysOf(recipient)
    const load = { calls: 0, isOver: false }
    const failures: unknown[] = []
    const worker = async () => {
      while (!load.isOver) {
        await items.get('/items/7').catch((error: unknown) => failures.push(error))
        load.calls += 1
      }
    }
    const workers = Promise.all(Array.from({ length: 4 }, worker))
    const { rotation } = await keys.rotations.rotate(key.id, { successor: 'claim', ...quickly }, 'operator')
    const stateOf = async () => (await keys.showRotation(rotation.id)).rotation.state
    for (let waited = 0; waited < 1_200 && (await stateOf()) !== 'completed'; waited++) await sleep(50)
    const enough = Math.max(300, load.calls + 100)
    while (load.calls < enough) await sleep(10)
    load.isOver = true
    await workers
    assert.deepEqual([failures, await stateOf()], [[], 'completed'])
    assert.deepEqual([store.kept.length, ends], [3, []], 'renewed once, and no version has ended')
    assert.match(store.kept[1] ?? '', new RegExp(`^${key.text} next=cmty_live_[^ ]+$`), 'kept before it is used')
    assert.match(store.kept[2] ?? '', new RegExp(`^cmty_live_[^ ]+ old=${key.text}$`))
    const old = await fetch(recipient.local('/holder/items/items/7'), { headers: { 'x-api-key': key.text } })
    assert.equal(((await old.json()) as { code: string }).code, 'key-expired')
  })

  test('stays in use where its successor cannot be kept, and no call knows of it', async () => {
    await using network = await startKeyNetwork()
    const { recipient } = network
    await addClient(recipient, { id: 'app', kind: 'application', participant: undefined })
    const key = await issueKey(recipient, {}, 'app')
    let told = 0
    const client = createComityClient({
      node: recipient.local(''),
      purpose: testPurpose,
      apiKey: {
        load: () => key.text,
        save: () => {
          told += 1
          throw new Error('the disk is full')
        },
      },
      sleep: shortly,
    })
    const keys = await keysOf(recipient)
    await keys.rotations.rotate(key.id, { successor: 'claim', ...quickly }, 'operator')
    for (let call = 0; call < 20; call++) {
      await client.product('holder', 'items').get('/items/7')
      await sleep(10)
    }
    assert.equal(told, 1, 'it is not tried with each call')
    const { lastUse } = await keys.showKey(key.id)
    assert.ok((lastUse?.uses ?? 0) >= 20)
  })

  test('says so in every answer at a holder, refusals too, and gives its successor, the same whenever it is asked', async () => {
    await using network = await startKeyNetwork()
    const { holder } = network
    await addClient(holder)
    for (const use of ['plain', 'hmac'] as const) {
      const key = await issueKey(holder, { use })
      const call = (changes = {}, { text } = key) =>
        use === 'plain' ? presentKey(holder, text, changes) : signWithKey(network, { id: '', text }, changes)
      assert.equal((await answered(holder, call())).headers.has('deprecation'), false)
      await refusedFor(network, call({ method: 'POST', ...renewal }), 'key-not-rotated')
      const keys = await keysOf(holder)
      const { rotation } = await keys.rotations.rotate(key.id, { successor: 'claim', ...quickly }, 'operator')
      for (const answer of [await answered(holder, call()), await send(holder, call({ path: '/x/items/nothing' }))]) {
        const seconds = Math.floor(rotation.sunsetMs / 1_000)
        assert.equal(answer.headers.get('sunset'), new Date(seconds * 1_000).toUTCString())
        assert.match(answer.headers.get('deprecation') ?? '', /^@\d+$/)
        const link = answer.headers.get('link') ?? ''
        assert.ok(
          link.startsWith(`<${holder.url}/keys/renewal>; rel="urn:comity:rel:key-renewal"; key="${key.id}"`),
          link,
        )
        assert.ok(link.endsWith(`; sunset="@${seconds}"`), link)
      }
      const claim = async () =>
        JSON.parse((await answered(holder, call({ method: 'POST', ...renewal }), 201)).body.toString()) as {
          key: string
        }
      const [lost, next] = [await claim(), await claim()]
      assert.equal(lost.key, next.key, 'the same again, for who lost the answer')
      await answered(holder, call(renewal, { id: '', text: next.key }))
      assert.equal((await claim()).key, next.key, 'other machines of the client have the old key too')
      const fresh = await answered(holder, call({}, { id: '', text: next.key }))
      assert.equal(fresh.headers.has('link'), false)
    }
    await refusedFor(network, presentKey(holder, 'cmty_live_nobody', renewal), 'key-malformed')
  })

  test('of the other environment than the node’s is renewed all the same', async () => {
    await using network = await startKeyNetwork()
    const { holder } = network
    await addClient(holder)
    const key = await issueKey(holder, { environment: 'test' })
    await refusedFor(network, presentKey(holder, key.text), 'key-environment')
    await answered(holder, presentKey(holder, key.text, renewal))
  })
})
