/** What every consent store must do; each backend's test runs it on empty tables. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../../storage/database.ts'
import type { ConsentStore, KnownDelegate, StoredConsent } from './consent-store.ts'

const lab = 'did:web:lab.example'
const firm = 'did:web:firm.example'
const idOf = (digit: number) => `urn:uuid:00000000-0000-7000-8000-00000000000${digit}`

const consentOf = (digit: number, change: Partial<StoredConsent> = {}): StoredConsent => ({
  id: idOf(digit),
  state: 'requested',
  seq: 1,
  stepHash: 'step-1',
  rev: 0,
  hash: undefined,
  recipient: lab,
  subject: `subject-${digit}`,
  reference: `sealed:subject-${digit}:x`,
  template: undefined,
  requestedMs: 10,
  lapsesMs: 100,
  notBeforeMs: undefined,
  expiresMs: undefined,
  dueMs: 100,
  pausedBy: undefined,
  status: { uri: 'https://a.example/status/1', idx: digit },
  ...change,
})
const active = { state: 'active', seq: 2, stepHash: 'step-2', rev: 1, hash: 'h' } as const
const times = { notBeforeMs: 20, expiresMs: 900, dueMs: 900, pausedBy: undefined } as const
const stepOf = (seq: number) =>
  ({
    consent: idOf(1),
    seq,
    type: 'granted',
    state: 'active',
    atMs: seq,
    hash: `h${seq}`,
    event: 'e',
    body: 'b',
  }) as const
const delegateOf = (digit: number, change: Partial<KnownDelegate> = {}): KnownDelegate => ({
  consent: idOf(1),
  delegation: `d${digit}`,
  delegator: lab,
  delegate: firm,
  depth: 1,
  firstSeenMs: digit,
  endedMs: undefined,
  ...change,
})

interface Opened {
  readonly database: Database
  readonly store: ConsentStore
}

/** Registers the tests. `open` gives a store and the database under it, which the test closes. */
export function consentStoreContract(open: () => Promise<Opened>): void {
  rowTests(open)
  bodyTests(open)
  delegateTests(open)
}

function rowTests(open: () => Promise<Opened>): void {
  test('gives back a row as it came, and undefined for one that is not there', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const full = consentOf(2, { ...active, ...times, pausedBy: 'subject', template: 'urn:t' })
    await database.execute([store.insertConsent(consentOf(1)), store.insertConsent(full)])
    assert.deepEqual(await store.find(idOf(1)), consentOf(1))
    assert.deepEqual(await store.find(idOf(2)), full)
    assert.equal(await store.find(idOf(3)), undefined)
  })

  test('moves a row from the step that it stands at, and from no other', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insertConsent(consentOf(1))])
    const move = store.moveConsent(idOf(1), 1, { ...active, ...times })
    assert.deepEqual(await database.execute([move, move]), [1, 0])
    assert.deepEqual(await store.find(idOf(1)), consentOf(1, { ...active, ...times }))
  })

  test('takes one open request of a recipient to a subject at a time', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const second = store.insertConsent(consentOf(2, { subject: 'subject-1' }))
    const other = store.insertConsent(consentOf(3, { subject: 'subject-1', recipient: firm }))
    await database.execute([store.insertConsent(consentOf(1)), other])
    await assert.rejects(database.execute([second]))
    assert.equal((await store.findLatest(lab, 'subject-1'))?.id, idOf(1))
    await database.execute([store.moveConsent(idOf(1), 1, { ...active, ...times }), second])
    assert.equal((await store.findLatest(lab, 'subject-1'))?.id, idOf(2))
    assert.equal(await store.findLatest(lab, 'subject-2'), undefined)
  })

  test('lists newest first, by every filter and page by page', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const rows = [1, 2, 3, 4].map((digit) => consentOf(digit, digit > 2 ? { recipient: firm, ...active } : {}))
    await database.execute(rows.map((row) => store.insertConsent(row)))
    const ids = async (filter: Parameters<ConsentStore['list']>[0]) =>
      (await store.list(filter)).map(({ id }) => Number(id.at(-1)))
    assert.deepEqual(await ids({}), [4, 3, 2, 1])
    assert.deepEqual(await ids({ limit: 2, before: idOf(4) }), [3, 2])
    assert.deepEqual(await ids({ recipient: lab }), [2, 1])
    assert.deepEqual(await ids({ subject: 'subject-3' }), [3])
    assert.deepEqual(await ids({ state: 'active', recipient: firm, before: idOf(4) }), [3])
    assert.deepEqual(await ids({ state: 'paused' }), [])
    assert.deepEqual(await ids({ limit: -5 }), [4])
  })

  test('finds what the clock ends, at its moment and not before, the longest due first', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const rows = [consentOf(1, { dueMs: 30 }), consentOf(2, { dueMs: 20 }), consentOf(3, { dueMs: undefined })]
    await database.execute(rows.map((row) => store.insertConsent(row)))
    const due = async (nowMs: number, limit = 9) => (await store.findDue(nowMs, limit)).map(({ id }) => id)
    assert.deepEqual(await due(19), [])
    assert.deepEqual(await due(20), [idOf(2)])
    assert.deepEqual(await due(99), [idOf(2), idOf(1)])
    assert.deepEqual(await due(99, 1), [idOf(2)])
  })
}

function bodyTests(open: () => Promise<Opened>): void {
  test('finds a request by its consent and by its idempotency key, which is its recipient’s own', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const request = { consent: idOf(1), recipient: lab, idempotencyKey: 'k', fingerprint: 'f', body: 'sealed' }
    const without = { ...request, consent: idOf(2), idempotencyKey: undefined, fingerprint: undefined }
    const others = [without, { ...without, consent: idOf(3) }, { ...request, consent: idOf(4), recipient: firm }]
    await database.execute([request, ...others].map((one) => store.insertRequest(one)))
    await assert.rejects(database.execute([store.insertRequest({ ...request, consent: idOf(5) })]))
    assert.deepEqual(await store.findRequest(idOf(1)), request)
    assert.deepEqual(await store.findRequest(idOf(2)), without)
    assert.deepEqual(await store.findRequestByKey(lab, 'k'), request)
    assert.equal(await store.findRequestByKey(lab, 'other'), undefined)
  })

  test('forgets what was asked when it lapsed before then, and nothing that waits or was granted', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const rows = [
      consentOf(1, { state: 'expired' }),
      consentOf(2, { state: 'refused', lapsesMs: 200 }),
      consentOf(3),
      consentOf(4, { ...active, ...times, state: 'expired' }),
      consentOf(5, { state: 'revoked' }),
    ]
    const request = { recipient: lab, idempotencyKey: undefined, fingerprint: 'f', body: 'sealed' }
    const requests = rows.map(({ id }) => store.insertRequest({ ...request, consent: id }))
    await database.execute([...rows.map((row) => store.insertConsent(row)), ...requests])
    const texts = () =>
      Promise.all(
        rows.map(async ({ id }) => [
          (await store.find(id))?.reference !== '',
          (await store.findRequest(id))?.body !== '',
        ]),
      )
    const kept = [true, true]
    const gone = [false, false]
    await database.execute(store.forgetLapsed(100))
    assert.deepEqual(await texts(), [kept, kept, kept, kept, kept])
    await database.execute(store.forgetLapsed(101))
    assert.deepEqual(await texts(), [gone, kept, kept, kept, gone])
    await database.execute(store.forgetLapsed(201))
    assert.deepEqual(await texts(), [gone, gone, kept, kept, gone])
    assert.deepEqual(await store.find(idOf(1)), { ...rows[0], reference: '' })
    assert.equal((await store.findRequest(idOf(1)))?.fingerprint, 'f')
  })

  test('gives revisions in their order, and one by its number', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const revisions = [1, 2].map((rev) => ({ consent: idOf(1), rev, hash: `h${rev}`, createdMs: rev, body: `b${rev}` }))
    await database.execute(revisions.toReversed().map((one) => store.insertRevision(one)))
    assert.deepEqual(await store.loadRevisions(idOf(1)), revisions)
    assert.deepEqual(await store.findRevision(idOf(1), 2), revisions[1])
    assert.equal(await store.findRevision(idOf(1), 3), undefined)
    await assert.rejects(database.execute([store.insertRevision(revisions[0]!)]))
  })

  test('a step that is there is not written again, and takes its whole transaction with it', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([
      store.insertConsent(consentOf(1)),
      store.insertStep(stepOf(2)),
      store.insertStep(stepOf(1)),
    ])
    const move = store.moveConsent(idOf(1), 1, { ...active, ...times })
    await assert.rejects(database.execute([move, store.insertStep({ ...stepOf(2), body: 'other' })]))
    assert.deepEqual(await store.find(idOf(1)), consentOf(1))
    assert.deepEqual(await store.loadSteps(idOf(1)), [stepOf(1), stepOf(2)])
  })
}

function delegateTests(open: () => Promise<Opened>): void {
  test('keeps the first word about a delegation and about its end, by each delegator', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const byFirm = delegateOf(3, { delegation: 'd1', delegator: firm, delegate: lab, depth: 2 })
    const again = delegateOf(1, { depth: 3, firstSeenMs: 99 })
    const all = [delegateOf(2), delegateOf(1), again, byFirm]
    await database.execute(all.map((one) => store.insertDelegate(one)))
    await database.execute([store.endDelegate(delegateOf(1), 50), store.endDelegate(delegateOf(1), 60)])
    const kept = [delegateOf(1, { endedMs: 50 }), delegateOf(2), byFirm]
    assert.deepEqual(await store.loadDelegates(idOf(1)), kept)
    assert.deepEqual(await store.loadDelegates(idOf(2)), [])
  })

  test('lets the id of a delegation stand for one delegate only: another is refused with all that goes with it', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insertDelegate(delegateOf(1))])
    const another = delegateOf(1, { delegate: 'did:web:other.example' })
    await assert.rejects(database.execute([store.insertDelegate(delegateOf(2)), store.insertDelegate(another)]))
    assert.deepEqual(await store.loadDelegates(idOf(1)), [delegateOf(1)])
  })
}
