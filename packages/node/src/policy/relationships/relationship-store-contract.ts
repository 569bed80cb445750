/** What every store of relationships must do; each backend's test runs it on a fresh store. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Statement } from '../../storage/database.ts'
import type { RelationshipStore, StoredRelationship } from './relationship-store.ts'

const lab = { type: 'Participant', id: 'did:web:lab.example' } as const
const nurse = { type: 'Human', id: 'did:web:lab.example/nurse-17' } as const
const member = (id: string, group: string, subject: StoredRelationship['subject']): StoredRelationship => ({
  id,
  object: { type: 'Group', id: group },
  relation: 'member',
  subject,
  addedMs: 1,
})
const caring: StoredRelationship = {
  id: '3',
  object: { type: 'person', handle: 'h-kim' },
  relation: 'nurse',
  subject: nurse,
  addedMs: 3,
}

interface Opened {
  readonly store: RelationshipStore
  execute(statements: readonly Statement[]): Promise<readonly number[]>
}

/** Registers the tests. `withStore` opens an empty store and closes it after the work. */
export function relationshipStoreContract(withStore: (work: (opened: Opened) => Promise<void>) => Promise<void>): void {
  test('gives relationships in the order in which they were added, page by page', () =>
    withStore(async ({ store, execute }) => {
      const all = [member('1', 'care', lab), member('2', 'clinic', { type: 'Group', id: 'care' }), caring]
      await execute(all.map((one) => store.insert(one)))
      assert.deepEqual(await store.list({ limit: 2 }), all.slice(0, 2))
      assert.deepEqual(await store.list({ limit: 2, after: '2' }), [caring])
    }))

  test('finds them by object, by relation and by subject', () =>
    withStore(async ({ store, execute }) => {
      const first = member('1', 'care', lab)
      const second = member('2', 'care', nurse)
      await execute([store.insert(first), store.insert(second), store.insert(caring)])
      assert.deepEqual(await store.list({ object: { type: 'Group', id: 'care' }, limit: 9 }), [first, second])
      assert.deepEqual(await store.list({ object: { type: 'person', handle: 'h-kim' }, limit: 9 }), [caring])
      assert.deepEqual(await store.list({ subject: nurse, limit: 9 }), [second, caring])
      assert.deepEqual(await store.list({ subject: nurse, relation: 'member', limit: 9 }), [second])
      assert.deepEqual(await store.memberships(), [
        { group: 'care', member: lab },
        { group: 'care', member: nurse },
      ])
    }))

  test('keeps each once, and says whether anything was written or removed', () =>
    withStore(async ({ store, execute }) => {
      assert.deepEqual(await execute([store.insert(caring), store.insert({ ...caring, id: '9' })]), [1, 0])
      assert.deepEqual(await execute([store.delete(caring), store.delete(caring)]), [1, 0])
      assert.deepEqual(await store.list({ limit: 9 }), [])
    }))

  test('what is kept of a person goes with them, and of nobody else', () =>
    withStore(async ({ store, execute }) => {
      const other = { ...caring, id: '4', object: { type: 'person', handle: 'h-sam' } } as const
      assert.equal(await store.hasPeople(), false)
      await execute([store.insert(caring), store.insert(other), store.insert(member('1', 'h-kim', lab))])
      assert.deepEqual(await store.ofPerson('h-kim'), [{ relation: 'nurse', subject: nurse }])
      await execute([store.deletePerson('h-kim')])
      assert.deepEqual(await store.ofPerson('h-kim'), [])
      assert.deepEqual([await store.hasPeople(), (await store.memberships()).length], [true, 1])
    }))
}
