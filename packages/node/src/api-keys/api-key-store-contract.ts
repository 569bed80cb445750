/** What every store of clients, keys, rotations and uses does. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { KeyRotation } from '@comity/core/api-keys/key-rotation'
import type { Database, Statement } from '../storage/database.ts'
import type { ApiKeyRecord } from './api-key-record.ts'
import type { ApiKeyStore } from './api-key-store.ts'
import { clientPoliciesSchema, type Client } from './client.ts'
import type { KeyUseStore } from './key-use-store.ts'

export function clientOf(id: string, changes: Partial<Client> = {}): Client {
  return {
    id,
    name: `Client ${id}`,
    kind: 'service',
    owner: 'ops@example.org',
    labels: { team: 'billing' },
    participant: 'did:web:lab.example',
    policies: clientPoliciesSchema.parse({ rotateEveryDays: 90 }),
    createdMs: 100,
    removedMs: undefined,
    ...changes,
  }
}

export function keyOf(id: string, changes: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  return {
    id,
    client: 'c1',
    environment: 'live',
    use: 'plain',
    verifier: new Uint8Array(32).fill(7),
    scope: { products: ['athletes'], fields: ['name'] },
    networks: ['192.0.2.0/24', '2001:db8::/32'],
    owner: undefined,
    labels: {},
    sequence: false,
    notBeforeMs: undefined,
    expiresMs: 9_000,
    state: 'active',
    reason: undefined,
    issuedBy: 'operator',
    createdMs: 200,
    enabledMs: undefined,
    endedMs: undefined,
    warnedMs: undefined,
    lineEndsMs: undefined,
    lifetimeDays: undefined,
    succeeds: undefined,
    ...changes,
  }
}

export function rotationOf(id: string, changes: Partial<KeyRotation> = {}): KeyRotation {
  return {
    id,
    client: 'c1',
    from: 'old00000',
    to: 'new00000',
    state: 'overlapping',
    overlapFromMs: 300,
    drainFromMs: 400,
    sunsetMs: 500,
    retire: 'when-moved',
    quietSeconds: 60,
    createdMs: 250,
    endedMs: undefined,
    ...changes,
  }
}

interface Opened extends AsyncDisposable {
  readonly store: ApiKeyStore
  readonly uses: KeyUseStore
  readonly database: Database
}

type Run = (...statements: Statement[]) => Promise<number[]>

export function apiKeyStoreContract(open: () => Promise<Opened>): void {
  const on = (work: (opened: Opened, run: Run) => Promise<void>) =>
    async function opened() {
      await using made = await open()
      await work(made, (...statements) => made.database.execute(statements))
    }
  describe('a store of API keys', () => {
    clientsAndKeys(on)
    rotations(on)
    uses(on)
  })
}

type On = (work: (opened: Opened, run: Run) => Promise<void>) => () => Promise<void>

function clientsAndKeys(on: On): void {
  test(
    'gives back clients as they were written last, by id',
    on(async ({ store }, run) => {
      const bare = clientOf('a', { owner: undefined, participant: undefined, labels: {} })
      await run(store.insertClient(clientOf('b')), store.insertClient(bare))
      assert.deepEqual(await store.listClients(), [bare, clientOf('b')])
      const removed = clientOf('b', { name: 'B', policies: { ...bare.policies, overlapDays: 1 }, removedMs: 900 })
      await run(store.updateClient(removed))
      assert.deepEqual((await store.listClients())[1], removed)
      await assert.rejects(run(store.insertClient(clientOf('b'))))
    }),
  )

  test(
    'gives back keys as they were written last, all that can be told of them',
    on(async ({ store }, run) => {
      const line = { lineEndsMs: 9_500, lifetimeDays: 30, succeeds: 'z' }
      const full = keyOf('a', { owner: 'o', labels: { a: 'b' }, use: 'hmac', sequence: true, notBeforeMs: 1, ...line })
      const bare = keyOf('b', { scope: {}, networks: [], expiresMs: undefined })
      await run(store.insertKey(full), store.insertKey(bare))
      assert.deepEqual(await store.findKey('a'), full)
      assert.deepEqual(await store.findKey('b'), bare)
      assert.equal(await store.findKey('c'), undefined)
      const ended = { ...full, state: 'revoked', reason: 'leaked', endedMs: 7, enabledMs: 5, warnedMs: 6 } as const
      const changed = { ...ended, scope: {}, networks: ['10.0.0.0/8'], owner: undefined, expiresMs: undefined }
      await run(store.updateKey(changed))
      assert.deepEqual(await store.findKey('a'), changed)
      assert.deepEqual(await store.findKey('b'), bare)
      await assert.rejects(run(store.insertKey(full)))
    }),
  )

  test(
    'loads what each key succeeds, and whether its client claimed it, those that ended too',
    on(async ({ store }, run) => {
      await run(
        store.insertKey(keyOf('a')),
        store.insertKey(keyOf('b', { succeeds: 'a' })),
        store.insertKey(keyOf('c', { succeeds: 'b', issuedBy: 'client', state: 'retired', endedMs: 1 })),
      )
      const successions = await store.loadSuccessions()
      assert.deepEqual([...successions].toSorted(), [
        ['b', { succeeds: 'a', isClaimed: false }],
        ['c', { succeeds: 'b', isClaimed: true }],
      ])
    }),
  )

  test(
    'loads keys that have not ended, or not before a moment',
    on(async ({ store }, run) => {
      await run(
        store.insertKey(keyOf('a')),
        store.insertKey(keyOf('b', { state: 'revoked', endedMs: 500 })),
        store.insertKey(keyOf('c', { state: 'retired', endedMs: 499 })),
      )
      assert.deepEqual((await store.loadKeys(500)).map(({ id }) => id).toSorted(), ['a', 'b'])
    }),
  )

  test(
    'lists keys oldest first, by client and state, from behind an id',
    on(async ({ store }, run) => {
      await run(
        store.insertKey(keyOf('z', { createdMs: 1 })),
        store.insertKey(keyOf('b', { createdMs: 2 })),
        store.insertKey(keyOf('a', { createdMs: 2, state: 'disabled' })),
        store.insertKey(keyOf('y', { createdMs: 3, client: 'c2' })),
      )
      const ids = async (filter: object) => (await store.listKeys({ limit: 10, ...filter })).map(({ id }) => id)
      assert.deepEqual(await ids({}), ['z', 'a', 'b', 'y'])
      assert.deepEqual(await ids({ client: 'c1', state: 'active' }), ['z', 'b'])
      assert.deepEqual(await ids({ after: 'a', limit: 1 }), ['b'])
      assert.deepEqual(await ids({ after: 'y' }), [])
    }),
  )
}

function rotations(on: On): void {
  test(
    'gives back rotations as they were written last, by client, key and whether they run',
    on(async ({ store }, run) => {
      const claimed = rotationOf('r2', { from: 'x0000000', to: undefined, client: 'c2', createdMs: 260 })
      await run(store.insertRotation(rotationOf('r1')), store.insertRotation(claimed))
      assert.deepEqual(await store.findRotation('r1'), rotationOf('r1'))
      assert.deepEqual(await store.findRotation('r2'), claimed)
      const ended = rotationOf('r1', { state: 'completed', endedMs: 600, sunsetMs: 550 })
      await run(store.updateRotation(ended))
      const ids = async (filter: object) => (await store.listRotations({ limit: 10, ...filter })).map(({ id }) => id)
      assert.deepEqual(await store.listRotations({ limit: 1 }), [ended])
      assert.deepEqual(await ids({ isRunning: true }), ['r2'])
      assert.deepEqual(await ids({ key: 'new00000' }), ['r1'])
      assert.deepEqual(await ids({ client: 'c2' }), ['r2'])
      assert.deepEqual(await ids({ after: 'r1' }), ['r2'])
    }),
  )

  test(
    'takes no second rotation of a key, or to a key, while one runs; one that has ended is in nobody’s way',
    on(async ({ store }, run) => {
      await run(store.insertRotation(rotationOf('r1')))
      await assert.rejects(run(store.insertRotation(rotationOf('r2', { to: 'other000' }))))
      await assert.rejects(run(store.insertRotation(rotationOf('r2', { from: 'other000' }))))
      await run(store.updateRotation(rotationOf('r1', { state: 'rolled-back', endedMs: 600 })))
      await run(store.insertRotation(rotationOf('r2')))
    }),
  )
}

function uses(on: On): void {
  const network = { key: 'a', network: '192.0.2.0/24', firstMs: 10, lastMs: 20, uses: 3 }
  test(
    'adds uses up by network and by hour',
    on(async ({ store, uses: kept }, run) => {
      await run(store.insertKey(keyOf('a')), store.insertKey(keyOf('b', { state: 'revoked', endedMs: 1 })))
      await kept.add({ networks: [network, { ...network, key: 'b' }], hours: [{ key: 'a', hour: 5, uses: 3 }] })
      const more = { ...network, firstMs: 30, lastMs: 40, uses: 2 }
      const older = { ...network, firstMs: 5, lastMs: 6, uses: 1, network: '10.0.0.0/24' }
      await kept.add({
        networks: [more, older],
        hours: [
          { key: 'a', hour: 5, uses: 2 },
          { key: 'a', hour: 6, uses: 1 },
        ],
      })
      const sum = { ...network, lastMs: 40, uses: 5, marked: 0 }
      assert.deepEqual(await kept.loadUses(2), [{ ...older, marked: 0 }, sum])
      assert.deepEqual(await kept.usesOf('a'), [sum, { ...older, marked: 0 }])
      assert.deepEqual(await kept.loadHours(5), [
        { key: 'a', hour: 5, uses: 5 },
        { key: 'a', hour: 6, uses: 1 },
      ])
      await kept.pruneHours(6)
      assert.deepEqual(await kept.loadHours(0), [{ key: 'a', hour: 6, uses: 1 }])
    }),
  )

  test(
    'remembers how many uses there were when an overlap began',
    on(async ({ uses: kept }, run) => {
      await kept.add({ networks: [network], hours: [] })
      await run(kept.mark('a'))
      await kept.add({ networks: [{ ...network, uses: 4 }], hours: [] })
      assert.deepEqual(
        (await kept.usesOf('a')).map(({ uses: all, marked }) => [all, marked]),
        [[7, 3]],
      )
    }),
  )

  test(
    'takes only sequence numbers that are higher than the last of the key, in the order they come',
    on(async ({ uses: kept }) => {
      const take = (...numbers: number[]) => kept.takeSequences(numbers.map((sequence) => ({ key: 'a', sequence })))
      assert.deepEqual(await take(5, 5, 4, 6), [true, false, false, true])
      assert.deepEqual(await take(6, 2 ** 53 - 1, 7), [false, true, false])
      assert.deepEqual(await kept.takeSequences([{ key: 'b', sequence: 0 }]), [true])
    }),
  )
}
