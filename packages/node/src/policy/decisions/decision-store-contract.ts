/** What every store of decisions must do; each backend's test runs it on a fresh store. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Statement } from '../../storage/database.ts'
import type { SubjectKey } from '../../vault/vault.ts'
import type { DecisionStore, NewDecision } from './decision-store.ts'
import { noRelations } from './policy-request.ts'

const decisionOf = (exchange: string, atMs: number): NewDecision => ({
  exchange,
  atMs,
  version: 3,
  details: {
    question: {
      caller: 'did:web:lab.example',
      address: '192.0.2.1',
      action: 'read',
      product: 'athletes',
      productClass: 'personal',
      version: '1.0.0',
      operation: 'getAthlete',
      method: 'GET',
      labels: [{ path: 'height', sensitivity: 'confidential' }],
      subject: 'h-kim',
      nowMs: atMs,
    },
    relations: noRelations,
    outcome: 'allowed',
    policies: ['body'],
    mask: { fields: [{ path: 'height', transforms: [{ path: 'height', op: 'round', arg: 5 }] }] },
  },
})

interface Opened {
  readonly store: DecisionStore
  execute(statements: readonly Statement[]): Promise<unknown>
  /** The key of a person. */
  keyOf(reference: string): Promise<SubjectKey>
  erase(reference: string): Promise<void>
  /** Everything that the table holds, as text. */
  dump(): Promise<string>
}

/** Registers the tests. `withStore` opens an empty store and closes it after the work. */
export function decisionStoreContract(withStore: (work: (opened: Opened) => Promise<void>) => Promise<void>): void {
  test('gives back what was decided, in clear when it is about nobody', () =>
    withStore(async ({ store, execute }) => {
      const decision = decisionOf('e1', 1)
      await execute([store.insert(decision, undefined)])
      assert.deepEqual(await store.find('e1'), decision)
      assert.equal(await store.find('e2'), undefined)
    }))

  test('what is about a person is sealed, and unreadable once they are erased', () =>
    withStore(async ({ store, execute, keyOf, erase, dump }) => {
      const decision = decisionOf('e1', 1)
      await execute([store.insert(decision, await keyOf('kim'))])
      assert.doesNotMatch(await dump(), /192\.0\.2\.1|getAthlete|height/)
      assert.deepEqual(await store.find('e1'), decision)
      await erase('kim')
      assert.deepEqual(await store.find('e1'), { exchange: 'e1', atMs: 1, version: 3, details: undefined })
      assert.equal((await store.list(9)).length, 1)
    }))

  test('the parts of a composite are found by its id', () =>
    withStore(async ({ store, execute }) => {
      for (const exchange of ['e1', 'e1.b', 'e1.a', 'e2.a', 'e11.a']) {
        await execute([store.insert(decisionOf(exchange, 1), undefined)])
      }
      assert.deepEqual(await store.parts('e1'), ['e1.a', 'e1.b'])
      assert.deepEqual([await store.parts('e3'), await store.parts('%')], [[], []])
    }))

  test('lists the newest first, page by page, and keeps no more than it is told', () =>
    withStore(async ({ store, execute }) => {
      const exchanges = async (limit: number, before?: string) =>
        (await store.list(limit, before)).map(({ exchange }) => exchange)
      for (const at of [1, 2, 3, 4]) await execute([store.insert(decisionOf(`e${at}`, at), undefined)])
      assert.deepEqual(await exchanges(3), ['e4', 'e3', 'e2'])
      assert.deepEqual(await exchanges(3, 'e2'), ['e1'])
      await execute([store.prune(4)])
      assert.equal((await exchanges(9)).length, 4)
      await execute([store.prune(2)])
      assert.deepEqual(await exchanges(9), ['e4', 'e3'])
    }))
}
