/** What every store of people's requests must do; each backend's test runs it on empty tables. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../storage/database.ts'
import type { RightsStore } from './rights-store.ts'

const request = (id: string, subject = 's1') =>
  ({
    id,
    subject,
    type: 'access',
    body: 'sealed:…',
    status: 'open',
    receivedMs: 1,
    dueMs: 100,
  }) as const
const fresh = { extension: undefined, closedMs: undefined, bundle: undefined }

/** Registers the tests. `start` gives a store and the database under it, which the test closes. */
export function rightsStoreContract(start: () => Promise<{ database: Database; store: RightsStore }>): void {
  test('a request is kept whole, extended, and closed once', async () => {
    const { store, database: opened } = await start()
    await using database = opened
    await database.execute([store.insert(request('1'))])
    assert.deepEqual(await store.find('1'), { ...request('1'), ...fresh })
    assert.equal(await store.find('2'), undefined)
    await database.execute([store.extend('1', 300, 'many systems'), store.setStatus('1', 'in_progress')])
    await database.execute([store.close('1', { status: 'fulfilled', closedMs: 50, bundle: 'b' })])
    await database.execute([
      store.close('1', { status: 'denied', closedMs: 60, bundle: 'c' }),
      store.setStatus('1', 'open'),
      store.extend('1', 900, 'again'),
    ])
    const closed = { status: 'fulfilled', dueMs: 300, extension: 'many systems', closedMs: 50, bundle: 'b' }
    assert.deepEqual(await store.find('1'), { ...request('1'), ...closed })
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
}
