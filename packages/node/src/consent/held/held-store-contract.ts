/** What every store of the recipient's side must do; each backend's test runs it on empty tables. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database, Statement } from '../../storage/database.ts'
import type { Delegation, HeldConsent } from './held-consent.ts'
import type { HeldStore, ToldStep } from './held-store.ts'

const holder = 'did:web:holder.example'
const idOf = (digit: number) => `urn:uuid:00000000-0000-7000-8000-00000000000${digit}`
const held = (digit: number, change: Partial<HeldConsent> = {}): HeldConsent => ({
  id: idOf(digit),
  consent: idOf(digit),
  holder,
  source: holder,
  delegation: undefined,
  subject: undefined,
  label: undefined,
  state: 'requested',
  rev: 0,
  hash: undefined,
  seq: 1,
  sourceSeq: 0,
  expiresMs: undefined,
  lapsesMs: 5_000,
  createdMs: 10,
  changedMs: 10,
  checkedMs: 10,
  readRev: 0,
  sealed: 'sealed:ünï',
  ...change,
})
const step = (change: Partial<ToldStep>): ToldStep => ({
  id: idOf(1),
  state: 'active',
  rev: 1,
  hash: 'h1',
  seq: 2,
  atMs: 50,
  ...change,
})
const delegation = (change: Partial<Delegation> = {}): Delegation => ({
  id: idOf(8),
  held: idOf(1),
  consent: idOf(1),
  delegate: 'did:web:firm.example',
  sealed: 'sealed:x',
  untilMs: 9_000,
  createdMs: 20,
  endedMs: undefined,
  endedBy: undefined,
  ...change,
})

type Open = () => Promise<{ database: Database; store: HeldStore }>

/** Registers the tests. `open` gives a store and the database under it, which the test closes. */
export function heldStoreContract(open: Open): void {
  stepsOfHeldConsents(open)
  findingHeldConsents(open)
  delegationsAndTemplates(open)
}

function stepsOfHeldConsents(open: Open): void {
  test('gives back a consent as it came, and does not change one that is there', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const whole = held(1, { subject: 's', label: 'l', delegation: 'd', hash: 'h', expiresMs: 7, seq: 3, sourceSeq: 2 })
    await database.execute([store.insert(whole), store.insert(held(1, { state: 'active' })), store.insert(held(2))])
    assert.deepEqual(await store.find(idOf(1)), whole)
    assert.deepEqual(await store.find(idOf(2)), held(2))
    assert.equal(await store.find(idOf(3)), undefined)
  })

  test('counts the consents of a holder that were neither asked for nor read', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const unread = { lapsesMs: undefined, state: 'active' } as const
    const rows = [
      held(1),
      held(2, unread),
      held(3, { ...unread, state: 'revoked' }),
      held(4, { ...unread, subject: 's' }),
      held(5, { ...unread, delegation: 'd' }),
      held(6, { ...unread, holder: 'did:web:other.example' }),
    ]
    await database.execute(rows.map((row) => store.insert(row)))
    assert.equal(await store.countUnread(holder), 2)
    assert.equal(await store.countUnread('did:web:nobody.example'), 0)
  })

  test('the greater step wins, in whatever order the steps arrive', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insert(held(1))])
    await database.execute([store.applyStep(step({ state: 'withdrawn', seq: 4 }))])
    await database.execute([store.applyStep(step({ state: 'active', seq: 3 })), store.applyStep(step({ seq: 4 }))])
    const { state, seq } = (await store.find(idOf(1))) ?? {}
    assert.deepEqual([state, seq], ['withdrawn', 4])
  })

  test('a delegator cannot keep the word of the holder from counting', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insert(held(1, { source: 'did:web:lab.example' }))])
    await database.execute([store.applySourceStep(step({ state: 'paused', seq: 3 }))])
    assert.equal((await store.find(idOf(1)))?.state, 'paused')
    await database.execute([store.applySourceStep(step({ state: 'active', seq: 1_000_000 }))])
    await database.execute([store.applyStep(step({ state: 'withdrawn', seq: 4 }))])
    const { state, seq, sourceSeq } = (await store.find(idOf(1))) ?? {}
    assert.deepEqual([state, seq, sourceSeq], ['withdrawn', 4, 1_000_000])
    await database.execute([store.applySourceStep(step({ state: 'active', seq: 3 }))])
    assert.equal((await store.find(idOf(1)))?.state, 'withdrawn')
  })

  test('what has ended for good never changes again', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insert(held(1))])
    await database.execute([store.setState(held(1, { seq: 2 }), 'paused', 20), store.end(idOf(1), 30)])
    const ended = held(1, { state: 'revoked', changedMs: 30 })
    assert.deepEqual(await store.find(idOf(1)), ended)
    await database.execute([
      store.applyStep(step({ seq: 9 })),
      store.applySourceStep(step({ seq: 9 })),
      store.setState(held(1), 'active', 40),
      store.save(held(1, { state: 'active', seq: 9 })),
    ])
    assert.deepEqual(await store.find(idOf(1)), ended)
  })

  test('tells in the transaction whether a step would change anything', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insert(held(1, { state: 'active', rev: 1, seq: 2 }))])
    const holds = async ({ sql, params = [] }: Statement) =>
      (await database.get(`SELECT 1 AS yes WHERE ${sql}`, params)) !== undefined
    const after = { id: idOf(1), state: 'active', rev: 1, seq: 3 } as const
    assert.equal(await holds(store.differsFrom(after)), false)
    assert.equal(await holds(store.differsFrom({ ...after, rev: 2 })), true)
    assert.equal(await holds(store.differsFrom({ ...after, state: 'paused' })), true)
    assert.equal(await holds(store.differsFrom({ ...after, state: 'paused', seq: 1 })), false, 'an earlier step')
    assert.equal(await holds(store.differsFrom({ ...after, rev: 0 })), false, 'an earlier revision')
    assert.deepEqual([await holds(store.isMissing(idOf(1))), await holds(store.isMissing(idOf(2)))], [false, true])
    await database.execute([store.end(idOf(1), 30)])
    assert.equal(await holds(store.differsFrom({ ...after, state: 'paused' })), false, 'it has ended')
  })

  test('what was read at the source does not undo a later step', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insert(held(1))])
    const read = held(1, {
      state: 'active',
      rev: 1,
      hash: 'h1',
      seq: 2,
      subject: 's',
      expiresMs: 99,
      readRev: 1,
      sealed: 'sealed:2',
    })
    await database.execute([store.save(read), store.saveDetails(read)])
    assert.deepEqual(await store.find(idOf(1)), read)
    await database.execute([store.applyStep(step({ state: 'withdrawn', seq: 3 })), store.save(read)])
    assert.equal((await store.find(idOf(1)))?.state, 'withdrawn')
  })
}

function findingHeldConsents(open: Open): void {
  test('finds what may become active or was told and not read, the longest unasked first', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([
      store.insert(held(1, { checkedMs: 30 })),
      store.insert(held(2, { checkedMs: 20, state: 'paused' })),
      store.insert(held(3, { checkedMs: 10, state: 'deferred' })),
      store.insert(held(4, { checkedMs: 1, state: 'active', rev: 2, readRev: 2 })),
      store.insert(held(6, { checkedMs: 25, state: 'active', rev: 2, readRev: 1 })),
      store.insert(held(7, { checkedMs: 1, state: 'active', rev: 2, readRev: 1, delegation: 'd' })),
      store.insert(held(5, { checkedMs: 1, state: 'withdrawn' })),
    ])
    const ids = async (beforeMs: number, limit: number) => (await store.findOpen(beforeMs, limit)).map(({ id }) => id)
    assert.deepEqual(await ids(31, 9), [idOf(3), idOf(2), idOf(6), idOf(1)])
    assert.deepEqual(await ids(30, 9), [idOf(3), idOf(2), idOf(6)])
    assert.deepEqual(await ids(31, 1), [idOf(3)])
    await database.execute([store.noteChecked(idOf(3), 40), store.setState(held(2), 'expired', 41)])
    assert.deepEqual(await ids(31, 9), [idOf(6), idOf(1)])
  })

  test('lists by state, holder, person and label, a page at a time; a person at one holder is not one at another', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const other = 'did:web:other.example'
    await database.execute([
      store.insert(held(1, { subject: 's', state: 'active' })),
      store.insert(held(2, { subject: 's', holder: other, label: 'l' })),
      store.insert(held(3, { subject: 't' })),
      store.insert(held(4, { subject: 's', consent: idOf(1), delegation: idOf(4) })),
    ])
    const listed = async (filter: Parameters<HeldStore['list']>[0]) =>
      (await store.list(filter)).map(({ id }) => Number(id.at(-1)))
    assert.deepEqual(await listed({ limit: 9 }), [4, 3, 2, 1])
    assert.deepEqual(await listed({ limit: 2, before: idOf(4) }), [3, 2])
    assert.deepEqual(await listed({ limit: 9, state: 'active' }), [1])
    assert.deepEqual(await listed({ limit: 9, subject: 's', holder }), [4, 1])
    assert.deepEqual(await listed({ limit: 9, label: 'l' }), [2])
    assert.deepEqual(
      (await store.findForSubject(holder, 's')).map(({ id }) => id),
      [idOf(4), idOf(1)],
    )
    assert.deepEqual(
      (await store.findByConsent(idOf(1))).map(({ id }) => id),
      [idOf(1), idOf(4)],
    )
  })
}

function delegationsAndTemplates(open: Open): void {
  test('a delegation stands until it is ended, and keeps the moment of its first end', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([
      store.insertDelegation(delegation()),
      store.insertDelegation(delegation({ id: idOf(9), delegate: 'did:web:other.example' })),
    ])
    assert.deepEqual(await store.findDelegation(idOf(8)), delegation())
    assert.equal((await store.standingDelegations(idOf(1))).length, 2)
    assert.deepEqual(await store.delegationsTo(idOf(1), 'did:web:firm.example'), [delegation()])
    await database.execute([store.narrowDelegation({ id: idOf(8), sealed: 'sealed:less', untilMs: 40 })])
    assert.deepEqual(await store.findDelegation(idOf(8)), delegation({ sealed: 'sealed:less', untilMs: 40 }))
    await database.execute([store.endDelegation(idOf(8), { atMs: 60, by: 'narrowing' })])
    await database.execute([store.endDelegation(idOf(8), { atMs: 70, by: 'order' })])
    await database.execute([store.narrowDelegation({ id: idOf(8), sealed: 'sealed:late', untilMs: 30 })])
    const ended = { sealed: 'sealed:less', untilMs: 40, endedMs: 60, endedBy: 'narrowing' as const }
    assert.deepEqual(await store.findDelegation(idOf(8)), delegation(ended))
    assert.deepEqual(await store.delegationsTo(idOf(1), 'did:web:firm.example'), [])
    assert.deepEqual(
      (await store.standingDelegations(idOf(1))).map(({ id }) => id),
      [idOf(9)],
    )
    assert.deepEqual(
      (await store.listDelegations(5)).map(({ id }) => id),
      [idOf(9), idOf(8)],
    )
  })

  test('a signed template is never replaced; without a version the newest is found', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const first = { id: 't', version: '1', hash: 'a', jws: 'x.y.z', signedMs: 10 }
    const second = { ...first, version: '2', hash: 'b', signedMs: 20 }
    await database.execute([store.insertTemplate(first), store.insertTemplate(second)])
    await database.execute([store.insertTemplate({ ...first, jws: 'other', signedMs: 99 })])
    assert.deepEqual(await store.findTemplate('t', '1'), first)
    assert.deepEqual(await store.findTemplate('t'), second)
    assert.equal(await store.findTemplate('u'), undefined)
    assert.deepEqual(await store.listTemplates(), [second, first])
  })
}
