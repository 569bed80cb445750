/** What every store of policy sets must do; each backend's test runs it on a fresh store. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Statement } from '../../storage/database.ts'
import type { PolicySetStore, StoredSet } from './policy-set-store.ts'

const setOf = (version: number, changes: Partial<StoredSet> = {}): StoredSet => ({
  version,
  texts: [{ source: 'a.cedar', text: 'permit (principal, action, resource);' }],
  prepared: { policies: [], hash: `hash-${version}`, warnings: [] },
  preparedAs: 'schema-1',
  source: 'admin',
  setMs: version * 1_000,
  ...changes,
})

interface Opened {
  readonly store: PolicySetStore
  execute(statements: readonly Statement[]): Promise<unknown>
}

/** Registers the tests. `withStore` opens an empty store and closes it after the work. */
export function policySetStoreContract(withStore: (work: (opened: Opened) => Promise<void>) => Promise<void>): void {
  test('the set in force is the newest, as it was stored', () =>
    withStore(async ({ store, execute }) => {
      assert.equal(await store.current(), undefined)
      const second = setOf(2, { source: 'directory', note: 'for the winter' })
      await execute([store.insert(setOf(1))])
      await execute([store.insert(second)])
      assert.deepEqual(await store.current(), second)
      assert.deepEqual(await store.find(1), setOf(1))
      assert.equal(await store.find(3), undefined)
    }))

  test('a version that is taken is never written over', () =>
    withStore(async ({ store, execute }) => {
      await execute([store.insert(setOf(1))])
      await assert.rejects(execute([store.insert(setOf(1, { note: 'other' }))]))
      assert.deepEqual(await store.current(), setOf(1))
    }))

  test('lists the newest first, page by page, without what they say', () =>
    withStore(async ({ store, execute }) => {
      for (const version of [1, 2, 3]) await execute([store.insert(setOf(version))])
      const page = await store.list(2)
      assert.deepEqual(page[0], { version: 3, hash: 'hash-3', source: 'admin', setMs: 3_000 })
      assert.deepEqual(
        [page.map(({ version }) => version), (await store.list(2, 2)).map(({ version }) => version)],
        [[3, 2], [1]],
      )
    }))

  test('a set that was prepared anew keeps its version and its texts', () =>
    withStore(async ({ store, execute }) => {
      await execute([store.insert(setOf(1))])
      const prepared = { policies: [], hash: 'hash-b', warnings: [{ source: 'a.cedar', message: 'is never true' }] }
      await execute([store.prepareAnew(1, prepared, 'schema-2')])
      assert.deepEqual(await store.find(1), setOf(1, { prepared, preparedAs: 'schema-2' }))
    }))
}
