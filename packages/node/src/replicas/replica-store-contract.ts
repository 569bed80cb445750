/** What every store of replicas does. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Database, Statement } from '../storage/database.ts'
import type { Replica } from './replica.ts'
import type { Due, DueKey, ReplicaStore } from './replica-store.ts'

const holder = 'did:web:holder.example'
const always: Statement = { sql: '1 = 1' }
const never: Statement = { sql: '1 = ?', params: [0] }

export function replicaOf(id: string, changes: Partial<Replica> = {}): Replica {
  return {
    id,
    holder,
    product: 'athletes',
    version: '1.0.0',
    operation: 'athlete',
    agreement: 'a1',
    purpose: 'p',
    held: 'h1',
    consent: 'c1',
    consentHash: 'hash',
    subject: 's1',
    exchange: `x-${id}`,
    fetchedMs: 100,
    validatedMs: 100,
    confirmedMs: 100,
    untilMs: 1_000,
    sealed: 'sealed:content',
    own: undefined,
    ...changes,
  }
}

const athletes = { holder, product: 'athletes', operations: undefined }
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

/** Ids of all pages, oldest first. */
async function everyPage(read: (page: Due) => Promise<DueKey[]>): Promise<string[]> {
  const found: DueKey[] = []
  for (;;) {
    const page = await read({ beforeMs: 200, limit: 100, after: found.at(-1) })
    if (page.length === 0) break
    found.push(...page)
  }
  assert.deepEqual(
    found.map(({ sinceMs }) => sinceMs),
    found.map(({ sinceMs }) => sinceMs).toSorted((a, b) => a - b),
  )
  return found.map(({ id }) => id)
}

export function replicaStoreContract(
  open: () => Promise<{ store: ReplicaStore; database: Database } & AsyncDisposable>,
): void {
  const on = (work: (store: ReplicaStore, run: (...statements: Statement[]) => Promise<number[]>) => Promise<void>) =>
    async function opened() {
      await using made = await open()
      await work(made.store, (...statements) => made.database.execute(statements))
    }
  const idsOf = async (store: ReplicaStore) => (await store.list({ limit: 100 })).map(({ id }) => id)

  describe('a store of replicas', () => {
    test(
      'gives back what was put, and puts nothing where the condition does not hold',
      on(async (store, run) => {
        const full = replicaOf('a')
        const bare = replicaOf('b', { held: undefined, consent: undefined, subject: undefined, untilMs: undefined })
        assert.deepEqual(await run(store.put(full, always), store.put(bare, always)), [1, 1])
        assert.deepEqual(await run(store.put(replicaOf('c'), never)), [0])
        assert.deepEqual(await store.find('a'), full)
        assert.deepEqual(await store.find('b'), bare)
        assert.equal(await store.find('c'), undefined)
      }),
    )

    test(
      'replaces the content of one, and leaves its own fields',
      on(async (store, run) => {
        await run(store.put(replicaOf('a'), always), ...store.setOwn('a', 'sealed:own'))
        await run(store.put(replicaOf('a', { sealed: 'sealed:new', exchange: 'x2' }), always))
        assert.deepEqual(
          await store.find('a'),
          replicaOf('a', { sealed: 'sealed:new', exchange: 'x2', own: 'sealed:own' }),
        )
      }),
    )

    test(
      'revalidates only the content that was asked about',
      on(async (store, run) => {
        await run(store.put(replicaOf('a'), always))
        const known = { consentHash: 'h2', agreement: 'a2', untilMs: 2_000, nowMs: 500 }
        assert.deepEqual(await run(store.revalidate({ id: 'a', exchange: 'other' }, known)), [0])
        assert.deepEqual(await run(store.revalidate({ id: 'a', exchange: 'x-a' }, known)), [1])
        const { validatedMs, confirmedMs, untilMs, consentHash, agreement } = (await store.find('a')) as Replica
        assert.deepEqual([validatedMs, confirmedMs, untilMs, consentHash, agreement], [500, 500, 2_000, 'h2', 'a2'])
      }),
    )

    test(
      'empties and removes by consent, by held consent, and by person, and counts what went',
      on(async (store, run) => {
        await run(
          store.put(replicaOf('a'), always),
          store.put(replicaOf('b'), always),
          store.put(replicaOf('c', { held: 'h2', consent: 'c2' }), always),
          store.put(replicaOf('d', { held: 'h3', consent: 'c3', subject: 's2' }), always),
          ...store.setOwn('b', 'sealed:own'),
        )
        await run(...store.empty({ held: 'h1' }, 200))
        assert.deepEqual(await idsOf(store), ['b', 'c', 'd'])
        assert.equal((await store.find('b'))?.sealed, '')
        await run(...store.remove({ held: 'h1' }, 300), ...store.remove({ holder, consent: 'c2' }, 400))
        assert.deepEqual(await idsOf(store), ['d'])
        assert.deepEqual(await store.removed({ holder, consent: 'c1' }), { removed: 2, at: 200 })
        assert.deepEqual(await store.removed({ holder, subject: 's1' }), { removed: 3, at: 400 })
        assert.equal(await store.removed({ holder, consent: 'c3' }), undefined)
        assert.equal(await store.removed({ holder: 'did:web:other.example', consent: 'c1' }), undefined)
        await run(...store.deleteSubject('s1'), ...store.deleteSubject('s2'))
        assert.deepEqual(await idsOf(store), [])
        assert.equal(await store.removed({ holder, subject: 's1' }), undefined)
      }),
    )

    test(
      'removes what is over, to the millisecond, and nothing without an end',
      on(async (store, run) => {
        await run(
          store.put(replicaOf('a', { untilMs: 500 }), always),
          store.put(replicaOf('b', { untilMs: 501 }), always),
          store.put(replicaOf('c', { untilMs: undefined }), always),
        )
        assert.equal(await store.countDue(500), 1)
        await run(...store.removeDue(500))
        assert.deepEqual(await idsOf(store), ['b', 'c'])
      }),
    )

    test(
      'tells under which agreements anything is kept, and takes away what came under one',
      on(async (store, run) => {
        const under = { holder, product: 'athletes', operation: 'athlete', purpose: 'p', agreement: 'a1' }
        await run(
          store.put(replicaOf('a'), always),
          store.put(replicaOf('b', { purpose: undefined }), always),
          store.put(replicaOf('c', { agreement: 'a2' }), always),
          store.put(replicaOf('d', { agreement: undefined }), always),
          store.put(replicaOf('e'), always),
        )
        assert.equal((await store.agreements()).length, 3)
        await run(...store.emptyUnder(under, 200))
        assert.deepEqual(await idsOf(store), ['b', 'c', 'd'])
        await run(...store.emptyUnder({ ...under, purpose: undefined }, 200))
        assert.deepEqual(await idsOf(store), ['c', 'd'])
      }),
    )

    test(
      'tells what is to be asked for anew, and of whose consents nothing was heard',
      on(async (store, run) => {
        await run(
          store.put(replicaOf('a', { validatedMs: 300, confirmedMs: 300 }), always),
          store.put(replicaOf('b', { validatedMs: 100, confirmedMs: 200, held: 'h2' }), always),
          store.put(replicaOf('c', { held: undefined, consent: undefined, subject: undefined }), always),
          store.put(replicaOf('d', { sealed: '', held: 'h4' }), always),
        )
        const due = { ...athletes, beforeMs: 200, limit: 10 }
        assert.deepEqual((await store.findUnvalidated(due)).map(({ id }) => id).toSorted(), ['b', 'c'])
        const unheard = async (beforeMs: number, limit = 10) =>
          (await store.findUnconfirmed({ beforeMs, limit })).map(({ held }) => held)
        assert.deepEqual(await unheard(300), ['h2', 'h1'])
        await run(store.confirm('h2', 900))
        assert.deepEqual(await unheard(300), ['h1'])
        assert.deepEqual(await unheard(900, 1), ['h1'])
      }),
    )

    test(
      'finds what is due of one product and its operations, however many older replicas of others there are',
      on(async (store, run) => {
        const older = numbers(150).map((n) => replicaOf(`old-${n}`, { product: 'others', validatedMs: n }))
        const younger = replicaOf('due', { validatedMs: 190 })
        const unnamed = replicaOf('unnamed', { operation: 'other', validatedMs: 1 })
        const unknown = replicaOf('unknown', { operation: undefined, validatedMs: 1 })
        const strange = replicaOf('strange', { holder: 'did:web:other.example', validatedMs: 1 })
        await run(...[...older, younger, unnamed, unknown, strange].map((replica) => store.put(replica, always)))
        const due = { ...athletes, beforeMs: 200, limit: 100 }
        const found = await store.findUnvalidated({ ...due, operations: ['athlete', 'athletes'] })
        assert.deepEqual(
          found.map(({ id }) => id),
          ['due'],
        )
        assert.deepEqual(
          (await store.findUnvalidated(due)).map(({ id }) => id),
          ['unknown', 'unnamed', 'due'],
        )
      }),
    )

    test(
      'gives what is due page by page, each once, also where many are due since the same moment',
      on(async (store, run) => {
        const replicas = numbers(250).map((n) =>
          replicaOf(`r-${n}`, { held: `h-${n}`, validatedMs: n % 3, confirmedMs: n % 3 }),
        )
        await run(...replicas.map((replica) => store.put(replica, always)))
        const unvalidated = await everyPage(async (page) =>
          (await store.findUnvalidated({ ...athletes, ...page })).map(({ id, validatedMs }) => ({
            id,
            sinceMs: validatedMs,
          })),
        )
        assert.deepEqual(new Set(unvalidated), new Set(replicas.map(({ id }) => id)))
        const unconfirmed = await everyPage(async (page) =>
          (await store.findUnconfirmed(page)).map(({ held, sinceMs }) => ({ id: held, sinceMs })),
        )
        assert.deepEqual(new Set(unconfirmed), new Set(replicas.map(({ held }) => held)))
        assert.deepEqual([unvalidated.length, unconfirmed.length], [250, 250])
      }),
    )

    test(
      'of own fields taken away leaves nothing where there is no content',
      on(async (store, run) => {
        await run(store.put(replicaOf('a'), always), store.put(replicaOf('b'), always))
        await run(...store.setOwn('a', 'o'), ...store.setOwn('b', 'o'), ...store.emptyOne('b', 200))
        await run(...store.setOwn('a', undefined), ...store.setOwn('b', undefined))
        assert.deepEqual(await idsOf(store), ['a'])
        assert.equal((await store.find('a'))?.own, undefined)
        await run(...store.removeOne('a', 300))
        assert.deepEqual(await idsOf(store), [])
      }),
    )

    test(
      'lists by holder and consent, from behind an id',
      on(async (store, run) => {
        await run(
          store.put(replicaOf('a'), always),
          store.put(replicaOf('b', { consent: 'c2' }), always),
          store.put(replicaOf('c', { holder: 'did:web:other.example' }), always),
        )
        const ids = async (filter: object) => (await store.list({ limit: 10, ...filter })).map(({ id }) => id)
        assert.deepEqual(await ids({ holder }), ['a', 'b'])
        assert.deepEqual(await ids({ consent: 'c1' }), ['a', 'c'])
        assert.deepEqual(await ids({ after: 'a', limit: 1 }), ['b'])
      }),
    )
  })
}
