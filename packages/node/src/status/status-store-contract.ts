/** What every store of status lists must do; each backend's test runs it on empty tables. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../storage/database.ts'
import type { StatusStore } from './status-store.ts'

/** Registers the tests. `open` gives a store and the database under it, which the test closes. */
export function statusStoreContract(open: () => Promise<{ database: Database; store: StatusStore }>): void {
  test('there is no list before an entry was given away', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    assert.equal(await store.newestList(), undefined)
    assert.equal(await store.hasList(1), false)
    await database.execute([store.insertEntry(1, 7), store.insertEntry(2, 9)])
    assert.equal(await store.newestList(), 2)
    assert.deepEqual([await store.hasList(1), await store.hasList(2), await store.hasList(3)], [true, true, false])
    assert.deepEqual(await store.usedIndices(1), [7])
  })

  test('an entry is given away once: the second transaction fails whole', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insertEntry(1, 7)])
    await assert.rejects(database.execute([store.insertEntry(1, 8), store.insertEntry(1, 7)]))
    assert.deepEqual(await store.usedIndices(1), [7])
  })

  test('changes are told in order, each entry with its last, and only those after the one that is known', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([1, 2, 3].map((index) => store.insertEntry(1, index)))
    await database.execute([store.insertEntry(2, 1)])
    assert.deepEqual(await store.changesAfter(1, 0), [])
    await database.execute([
      store.updateEntry({ list: 1, index: 3 }, 2, 1),
      store.updateEntry({ list: 1, index: 1 }, 2, 1),
      store.updateEntry({ list: 2, index: 1 }, 1, 1),
    ])
    await database.execute([store.updateEntry({ list: 1, index: 3 }, 1, 1)])
    assert.deepEqual(await store.changesAfter(1, 0), [
      { index: 1, value: 2, change: 2 },
      { index: 3, value: 1, change: 3 },
    ])
    assert.deepEqual(await store.changesAfter(1, 2), [{ index: 3, value: 1, change: 3 }])
    assert.deepEqual(await store.changesAfter(2, 0), [{ index: 1, value: 1, change: 1 }])
  })

  test('a final status stays, the same status is no change, and a strange entry is none', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insertEntry(1, 1)])
    const change = (index: number, value: number) => database.execute([store.updateEntry({ list: 1, index }, value, 1)])
    assert.deepEqual(await change(1, 2), [1])
    assert.deepEqual(await change(1, 2), [0])
    assert.deepEqual(await change(1, 0), [1])
    assert.deepEqual(await change(1, 1), [1])
    assert.deepEqual(await change(1, 0), [0])
    assert.deepEqual(await change(2, 1), [0])
    assert.deepEqual(await store.changesAfter(1, 0), [{ index: 1, value: 1, change: 3 }])
  })
}
