/** What every event store must do; each backend's test runs it on empty tables. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../storage/database.ts'
import type { EventStore, OutgoingEvent } from './event-store.ts'

const event = (id: string, recipient = 'did:web:b.example'): OutgoingEvent => ({
  id,
  recipient,
  type: 'urn:comity:event:key-rotated',
  payload: { text: 'ünï "quoted"' },
  occurredMs: 5,
})

/** Registers the tests. `open` gives a store and the database under it, which the test closes. */
export function eventStoreContract(open: () => Promise<{ database: Database; store: EventStore }>): void {
  test('an event is due from its moment on, until it is acknowledged', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insertOutgoing(event('1'), 100)])
    assert.deepEqual(await store.findDueRecipients(99, 9), [])
    assert.deepEqual(await store.findDue('did:web:b.example', 99, 10), [])
    assert.equal(await store.nextDueMs(99), 100)
    assert.equal(await store.nextDueMs(100), undefined)
    assert.deepEqual(await store.findDueRecipients(100, 9), ['did:web:b.example'])
    const [due] = await store.findDue('did:web:b.example', 100, 10)
    assert.deepEqual(due, {
      ...event('1'),
      attempts: 0,
      nextAttemptMs: 100,
      sealed: undefined,
      lastError: undefined,
      token: undefined,
      acknowledgedMs: undefined,
    })
    await store.saveAcknowledged('1', 'a.b.c', 200)
    assert.deepEqual(await store.findDueRecipients(1e12, 9), [])
    assert.equal(await store.nextDueMs(0), undefined)
    const [kept] = await store.listOutgoing(10)
    assert.deepEqual(
      { token: kept?.token, acknowledgedMs: kept?.acknowledgedMs, attempts: kept?.attempts },
      { token: 'a.b.c', acknowledgedMs: 200, attempts: 1 },
    )
  })

  test('the same event twice is one, and what was acknowledged stays so', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insertOutgoing(event('1'), 100), store.insertOutgoing(event('1'), 300)])
    await store.saveAcknowledged('1', 'first', 200)
    await store.saveAcknowledged('1', 'second', 300)
    await store.saveFailed('1', { attempts: 9, nextAttemptMs: 1, error: 'late' })
    const entries = await store.listOutgoing(10)
    assert.deepEqual(
      entries.map(({ token, acknowledgedMs, lastError }) => ({ token, acknowledgedMs, lastError })),
      [{ token: 'first', acknowledgedMs: 200, lastError: undefined }],
    )
  })

  test('a failed try is kept with its reason; a recipient who is away is put off as a whole', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([
      store.insertOutgoing(event('1'), 100),
      store.insertOutgoing(event('2'), 100),
      store.insertOutgoing(event('3', 'did:web:c.example'), 100),
    ])
    await store.saveFailed('1', { attempts: 1, nextAttemptMs: 5_000, error: 'away' })
    await store.postpone('did:web:b.example', 4_000)
    assert.deepEqual(await store.findDueRecipients(3_999, 9), ['did:web:c.example'])
    assert.deepEqual(await store.findDueRecipients(5_000, 1), ['did:web:c.example'])
    assert.deepEqual(
      (await store.findDue('did:web:b.example', 4_000, 10)).map(({ id }) => id),
      ['2'],
    )
    const due = await store.findDue('did:web:b.example', 5_000, 10)
    assert.deepEqual(
      due.map(({ id, attempts, lastError }) => [id, attempts, lastError]),
      [
        ['1', 1, 'away'],
        ['2', 0, undefined],
      ],
    )
    assert.equal((await store.findDue('did:web:b.example', 5_000, 1)).length, 1)
  })

  test('remembers the tokens that were taken, by issuer, until told to forget', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insertReceived('did:web:b.example', '1', 10)])
    await database.execute([store.insertReceived('did:web:b.example', '1', 20)])
    assert.equal(await store.hasReceived('did:web:b.example', '1'), true)
    assert.equal(await store.hasReceived('did:web:c.example', '1'), false)
    assert.equal(await store.hasReceived('did:web:b.example', '2'), false)
    await database.execute([store.deleteReceivedBefore(10)])
    assert.equal(await store.hasReceived('did:web:b.example', '1'), true)
    await database.execute([store.deleteReceivedBefore(11)])
    assert.equal(await store.hasReceived('did:web:b.example', '1'), false)
  })
}
