/** What every store of people's requests must do; each backend's test runs it on empty tables. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../storage/database.ts'
import type { RightsStore } from './rights-store.ts'

const request = (id: string, subject = 's1') =>
  ({ id, subject, type: 'access', body: 'sealed:…', receivedMs: 1, dueMs: 100 }) as const
const fresh = {
  status: 'open',
  isApplied: false,
  extension: undefined,
  closedMs: undefined,
  liftedMs: undefined,
  bundle: undefined,
} as const

/** Registers the tests. `start` gives a store and the database under it, which the test closes. */
export function rightsStoreContract(start: () => Promise<{ database: Database; store: RightsStore }>): void {
  test('a request is kept whole, extended, closed once, and lifted once', async () => {
    const { store, database: opened } = await start()
    await using database = opened
    await database.execute([store.insert(request('1')), store.lift('1', 7)])
    assert.deepEqual(await store.find('1'), { ...request('1'), ...fresh })
    assert.equal(await store.find('2'), undefined)
    await database.execute([store.extend('1', 300, 'many systems'), store.markApplied('1')])
    await database.execute([store.close('1', { status: 'fulfilled', closedMs: 50, bundle: 'b' })])
    await database.execute([
      store.close('1', { status: 'denied', closedMs: 60, bundle: 'c' }),
      store.extend('1', 900, 'again'),
      store.lift('1', 70),
      store.lift('1', 80),
    ])
    const closed = { status: 'fulfilled', dueMs: 300, extension: 'many systems', closedMs: 50, bundle: 'b' }
    assert.deepEqual(await store.find('1'), { ...request('1'), ...closed, isApplied: true, liftedMs: 70 })
  })

  test('requests are listed newest first, by person and by whether they are open', async () => {
    const { store, database: opened } = await start()
    await using database = opened
    await database.execute([store.insert(request('1')), store.insert(request('2', 's2')), store.insert(request('3'))])
    await database.execute([store.close('3', { status: 'denied', closedMs: 5, bundle: 'b' })])
    const ids = async (filter: Parameters<RightsStore['list']>[0]) => (await store.list(filter)).map(({ id }) => id)
    assert.deepEqual(await ids({}), ['3', '2', '1'])
    assert.deepEqual(await ids({ subject: 's1' }), ['3', '1'])
    assert.deepEqual(await ids({ subject: 's1', isOpen: true }), ['1'])
    assert.deepEqual(await ids({ isOpen: false }), ['3'])
    assert.deepEqual(await ids({ before: '3', limit: 1 }), ['2'])
  })

  test('a system reports once; what it says later changes nothing', async () => {
    const { store, database: opened } = await start()
    await using database = opened
    await database.execute([store.insert(request('1')), store.insertTask('1', 'b'), store.insertTask('1', 'a')])
    const report = { request: '1', product: 'a', state: 'done', report: 'r', reportedMs: 7 } as const
    await database.execute([store.reportTask(report)])
    await database.execute([store.reportTask({ ...report, state: 'refused' })])
    const open = { request: '1', product: 'b', state: 'open', report: undefined, reportedMs: undefined }
    assert.deepEqual(await store.tasks('1'), [report, open])
  })

  test('gives what the node has to do something for: not applied, or no system left to report', async () => {
    const { store, database: opened } = await start()
    await using database = opened
    const ids = ['1', '2', '3', '4', '5']
    await database.execute(ids.flatMap((id) => [store.insert(request(id)), store.insertTask(id, 'a')]))
    await database.execute(['2', '3', '4'].map((id) => store.markApplied(id)))
    const report = { product: 'a', state: 'refused', report: undefined, reportedMs: 7 } as const
    await database.execute(['3', '4'].map((request_) => store.reportTask({ ...report, request: request_ })))
    await database.execute([store.close('4', { status: 'denied', closedMs: 8, bundle: 'b' })])
    assert.deepEqual(await store.listToSettle('', 10), ['1', '3', '5'])
    assert.deepEqual(await store.listToSettle('1', 1), ['3'])
  })

  test('counts open requests whose time is over', async () => {
    const { store, database: opened } = await start()
    await using database = opened
    await database.execute([store.insert(request('1')), store.insert(request('2'))])
    await database.execute([store.close('2', { status: 'denied', closedMs: 5, bundle: 'b' })])
    assert.deepEqual([await store.countOverdue(99), await store.countOverdue(100)], [0, 1])
  })

  test('keeps the newest reference of a subject, until it is taken away', async () => {
    const { store, database: opened } = await start()
    await using database = opened
    await database.execute([store.saveReference('s1', 'sealed:a'), store.saveReference('s1', 'sealed:b')])
    assert.deepEqual([await store.findReference('s1'), await store.findReference('s2')], ['sealed:b', undefined])
    await database.execute([store.deleteReference('s1')])
    assert.equal(await store.findReference('s1'), undefined)
  })
}
