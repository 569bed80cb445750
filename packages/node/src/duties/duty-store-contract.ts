/** What every store of duties must do; each backend's test runs it on empty tables. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../storage/database.ts'
import type { DutyStore, NewDuty } from './duty-store.ts'

export const duty = (id: string, changes: Partial<NewDuty> = {}): NewDuty => ({
  id,
  side: 'imposed',
  kind: 'delete',
  consent: 'urn:uuid:1',
  holder: 'did:web:a.example',
  debtor: 'did:web:b.example',
  subject: 'ps_1',
  handle: 'h1',
  rightsRequest: undefined,
  dueMs: 1_000,
  createdMs: 100,
  fields: undefined,
  ...changes,
})
const open = { state: 'open', outcome: undefined, receipt: undefined, closedMs: undefined } as const
const closed = { state: 'done', outcome: 'deleted', receipt: 'a.b.c', subject: 'ps_2', closedMs: 500 } as const

/** Registers the tests. `start` gives a store and the database under it, which the test closes. */
export function dutyStoreContract(start: () => Promise<{ database: Database; store: DutyStore }>): void {
  test('a duty is kept whole, once', async () => {
    const { store, database: opened } = await start()
    await using database = opened
    const whole = duty('1', { rightsRequest: 'r1', fields: ['name', 'a[].b'] })
    await database.execute([store.insert(whole), store.insert({ ...whole, dueMs: 9 })])
    assert.deepEqual(await store.find('1'), { ...whole, ...open })
    assert.equal(await store.find('2'), undefined)
  })

  test('a duty is closed once, and keeps its first receipt', async () => {
    const { store, database: opened } = await start()
    await using database = opened
    await database.execute([store.insert(duty('1'))])
    await database.execute([store.close('1', closed)])
    await database.execute([store.close('1', { ...closed, state: 'refused', receipt: 'd.e.f' })])
    assert.deepEqual(await store.find('1'), { ...duty('1'), ...closed })
  })

  test('duties are listed newest first, by side, state, consent and request', async () => {
    const { store, database: opened } = await start()
    await using database = opened
    const all = [duty('1'), duty('2', { side: 'owed' }), duty('3', { consent: 'urn:uuid:2', handle: 'h2' }), duty('4')]
    await database.execute([...all.map((each) => store.insert(each)), store.close('4', closed)])
    const ids = async (filter: Parameters<DutyStore['list']>[0]) => (await store.list(filter)).map(({ id }) => id)
    assert.deepEqual(await ids({}), ['4', '3', '2', '1'])
    assert.deepEqual(await ids({ before: '3', limit: 1 }), ['2'])
    assert.deepEqual(await ids({ side: 'imposed', state: 'open' }), ['3', '1'])
    assert.deepEqual(await ids({ consent: 'urn:uuid:2' }), ['3'])
    assert.deepEqual(await ids({ rightsRequest: 'r1' }), [])
    assert.deepEqual(await ids({ handle: 'h2', state: 'open' }), ['3'])
  })

  test('what is late is late from its moment on, and told once', async () => {
    const { store, database: opened } = await start()
    await using database = opened
    await database.execute([store.insert(duty('1')), store.insert(duty('2', { dueMs: 500 })), store.insert(duty('3'))])
    await database.execute([store.close('3', closed)])
    assert.equal(await store.countOverdue(999), 1)
    assert.equal(await store.countOverdue(1_000), 2)
    const dueBy = async (dueByMs: number) => (await store.list({ dueByMs })).map(({ id }) => id)
    assert.deepEqual([await dueBy(999), await dueBy(1_000)], [['2'], ['2', '1']])
    const late = async () => (await store.overdueUntold(1_000, 10)).map(({ id }) => id)
    assert.deepEqual(await late(), ['2', '1'])
    await database.execute([store.markTold('2')])
    assert.deepEqual(await late(), ['1'])
    assert.equal(await store.countOverdue(1_000), 2)
  })
}
