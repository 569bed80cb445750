/** What every store of intents must do; each backend's test runs it on empty tables. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../storage/database.ts'
import type { SubjectVault } from '../vault/vault.ts'
import type { Answer } from './inbound-call.ts'
import type { Intent, IntentStore } from './intent-store.ts'

const intent = (id: string, changes: Partial<Intent> = {}): Intent => ({
  id,
  caller: 'did:web:a.example',
  idempotencyKey: `key-${id}`,
  fingerprint: 'A'.repeat(43),
  event: `{"id":"${id}"}`,
  startedMs: 1_000,
  subject: undefined,
  nonce: undefined,
  ...changes,
})
const answer: Answer = { status: 201, headers: ['content-type', 'application/json'], body: Uint8Array.of(0, 123, 255) }

export interface IntentStoreParts {
  readonly store: IntentStore
  readonly database: Database
  readonly vault: SubjectVault
}

/** Registers the tests. `start` gives a store, and what is under it, which the test closes. */
export function intentStoreContract(start: () => Promise<IntentStoreParts & AsyncDisposable>): void {
  test('an intent is kept from its begin, and its answer for its key', async () => {
    await using parts = await start()
    const { store, database } = parts
    const nonce = { keyid: 'did:web:a.example#1', nonce: 'n', expiresSeconds: 60 }
    await database.execute([store.insert(intent('1', { nonce }))])
    const { id, caller, fingerprint, event } = intent('1')
    const kept = { id, caller, fingerprint, event, subject: undefined }
    assert.deepEqual(await store.findByKey(caller, 'key-1'), { ...kept, state: 'running', answer: undefined })
    await database.execute([store.finish(intent('1'), answer)])
    assert.deepEqual(await store.findByKey(caller, 'key-1'), { ...kept, state: 'done', answer })
  })

  test('a key belongs to its caller, and names one intent', async () => {
    await using parts = await start()
    const { store, database } = parts
    await database.execute([store.insert(intent('1', { idempotencyKey: 'k' }))])
    await database.execute([store.insert(intent('2', { idempotencyKey: 'k', caller: 'did:web:b.example' }))])
    await assert.rejects(database.execute([store.insert(intent('3', { idempotencyKey: 'k' }))]))
    assert.equal((await store.findByKey('did:web:b.example', 'k'))?.id, '2')
    assert.equal(await store.findByKey('did:web:c.example', 'k'), undefined)
    const keyless = ['4', '5'].map((id) => store.insert(intent(id, { idempotencyKey: undefined })))
    await database.execute(keyless)
    assert.equal((await store.findRunning()).length, 4, 'calls without a key do not meet')
  })

  test('what has no outcome is found, oldest first, until it is ended, forgotten or closed as unknown', async () => {
    await using parts = await start()
    const { store, database } = parts
    const running = async () => (await store.findRunning()).map(({ id }) => id)
    await database.execute(['3', '1', '2', '4', '5'].map((id) => store.insert(intent(id))))
    assert.deepEqual(await running(), ['1', '2', '3', '4', '5'])
    await database.execute([
      store.finish(intent('1'), answer),
      store.forget('2'),
      store.markUnknown('3'),
      store.finish(intent('4', { idempotencyKey: undefined }), answer),
    ])
    assert.deepEqual(await running(), ['5'])
    const states = await Promise.all(
      ['1', '2', '3', '4'].map(async (id) => (await store.findByKey('did:web:a.example', `key-${id}`))?.state),
    )
    assert.deepEqual(states, ['done', undefined, 'unknown', undefined])
  })

  test('old answers are dropped, and their keys used anew; what still runs stays, however old it is', async () => {
    await using parts = await start()
    const { store, database } = parts
    await database.execute(['1', '2', '3'].map((id) => store.insert(intent(id, { startedMs: Number(id) * 100 }))))
    await database.execute([store.finish(intent('2'), answer), store.markUnknown('3'), store.prune(300)])
    const found = (id: string) => store.findByKey('did:web:a.example', `key-${id}`)
    assert.deepEqual(
      [(await found('1'))?.state, await found('2'), (await found('3'))?.state],
      ['running', undefined, 'unknown'],
    )
    await database.execute([store.insert(intent('4', { idempotencyKey: 'key-2' }))])
    assert.equal((await found('2'))?.id, '4')
  })

  test('of a call about a person the rest is gone when the person was erased; that there was one stays', async () => {
    await using parts = await start()
    const { store, database, vault } = parts
    const subject = await vault.open(vault.handleOf('736041664'))
    const about = intent('1', { subject, event: '{"path":"/athletes/736041664"}' })
    await database.execute([store.insert(about)])
    await database.execute([store.finish(about, answer)])
    const find = () => store.findByKey(about.caller, 'key-1')
    const { id, caller, fingerprint, event } = about
    const kept = { id, caller, state: 'done', subject: subject.handle }
    assert.deepEqual(await find(), { ...kept, fingerprint, event, answer })
    await database.execute(vault.destroy(subject.handle, 5))
    await vault.forget(subject.handle)
    assert.deepEqual(await find(), { ...kept, fingerprint: undefined, event: undefined, answer: undefined })
  })
}
