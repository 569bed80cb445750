/** What every store of the people's pages must do; each backend's test runs it on empty tables. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../storage/database.ts'
import type { PeopleStore } from './people-store.ts'

const link = {
  hash: 'l1',
  purpose: 'decide',
  subject: undefined,
  consent: 'urn:uuid:1',
  grantor: 'sealed:s:1',
  createdMs: 1,
  expiresMs: 100,
} as const
const session = {
  hash: 's1',
  link: 'l1',
  purpose: 'manage',
  subject: 'subject',
  consent: undefined,
  grantor: undefined,
  languages: 'ar,en',
  openedMs: 5,
  seenMs: 5,
} as const

/** Registers the tests. `open` gives a store and the database under it, which the test closes. */
export function peopleStoreContract(open: () => Promise<{ database: Database; store: PeopleStore }>): void {
  test('a link is used by one call only', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insertLink(link)])
    assert.deepEqual(await store.findLink('l1'), { ...link, usedMs: undefined })
    assert.equal(await store.findLink('l2'), undefined)
    const uses = await Promise.all([store.useLink('l1', 7), store.useLink('l1', 8)])
    assert.deepEqual(uses.toSorted(), [false, true])
    assert.equal(await store.useLink('l2', 7), false)
    assert.ok((await store.findLink('l1'))?.usedMs)
  })

  test('the other sessions of a link end together, and no others', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insertLink(link)])
    for (const hash of ['s1', 's2', 's3']) await store.insertSession({ ...session, hash })
    await store.insertSession({ ...session, hash: 's4', link: 'l2' })
    await store.deleteOtherSessions({ link: 'l1', hash: 's2' })
    const left = await Promise.all(['s1', 's2', 's3', 's4'].map((hash) => store.findSession(hash)))
    assert.deepEqual(
      left.map((one) => one?.hash),
      [undefined, 's2', undefined, 's4'],
    )
  })

  test('a session keeps what waits in it until it is taken away', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await store.insertSession(session)
    await store.saveDecision('s1', 'sealed:s:2')
    await store.saveChallenge('s1', 'challenge')
    await store.saveSeen('s1', { atMs: 9, languages: 'de' })
    assert.deepEqual(await store.findSession('s1'), {
      ...session,
      seenMs: 9,
      languages: 'de',
      decision: 'sealed:s:2',
      challenge: 'challenge',
    })
    const taken = await Promise.all([store.takeChallenge('s1'), store.takeChallenge('s1')])
    assert.deepEqual(
      taken.filter((one) => one !== undefined),
      ['challenge'],
    )
    await store.saveDecision('s1', undefined)
    assert.equal((await store.findSession('s1'))?.decision, undefined)
    await store.deleteSession('s1')
    assert.equal(await store.findSession('s1'), undefined)
    assert.equal(await store.takeChallenge('s1'), undefined)
    assert.ok(database)
  })

  test('passkeys are found by their subject, and replaced as a whole', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const passkey = { id: 'p1', subject: 'subject', passkey: 'sealed:s:3', createdMs: 1 }
    await store.insertPasskey(passkey)
    await store.insertPasskey({ ...passkey, id: 'p2', subject: 'other' })
    await store.savePasskey({ id: 'p1', passkey: 'sealed:s:4' })
    assert.deepEqual(await store.findPasskeys('subject'), [{ ...passkey, passkey: 'sealed:s:4' }])
    assert.ok(database)
  })

  test('a subject is taken away whole, and nobody else', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([
      store.insertLink({ ...link, purpose: 'manage', subject: 'subject' }),
      store.insertLink({ ...link, hash: 'l2', purpose: 'manage', subject: 'other' }),
    ])
    await store.insertSession(session)
    await store.insertPasskey({ id: 'p1', subject: 'subject', passkey: 'x', createdMs: 1 })
    await database.execute(store.deleteSubject('subject'))
    assert.equal(await store.findLink('l1'), undefined)
    assert.equal(await store.findSession('s1'), undefined)
    assert.deepEqual(await store.findPasskeys('subject'), [])
    assert.equal((await store.findLink('l2'))?.subject, 'other')
  })

  test('forgets what is over, not what may still be used', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insertLink(link), store.insertLink({ ...link, hash: 'l2', expiresMs: 200 })])
    await store.insertSession(session)
    await store.insertSession({ ...session, hash: 's2', seenMs: 50 })
    await store.prune({ expiredMs: 101, seenMs: 6 })
    assert.equal(await store.findLink('l1'), undefined)
    assert.ok(await store.findLink('l2'))
    assert.equal(await store.findSession('s1'), undefined)
    assert.ok(await store.findSession('s2'))
  })
}
