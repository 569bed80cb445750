/** What every agreement store must do; each backend's test runs it on empty tables. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { draftAgreement } from '@comity/core/agreement/agreement-draft'
import type { Database } from '../storage/database.ts'
import type { AgreementStore, StoredAgreement } from './agreement-store.ts'

const a = 'did:web:a.example'
const b = 'did:web:b.example'
const idOf = (digit: number) => `urn:uuid:00000000-0000-7000-8000-00000000000${digit}`
const agreementOf = (digit: number, product = 'p'): StoredAgreement => ({
  envelope: {
    agreement: draftAgreement({ id: idOf(digit), assigner: a, assignee: b, concludedMs: 0, products: [product] }),
    signatures: [{ signer: a, jws: 'e30..e30' }],
  },
  hash: `hash-${digit}`,
  importedMs: 100 - digit,
})

/** Registers the tests. `open` gives a store and the database under it, which the test closes. */
export function agreementStoreContract(open: () => Promise<{ database: Database; store: AgreementStore }>): void {
  test('gives back agreements as they came, in the order of their import', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    assert.deepEqual(await store.loadAgreements(), [])
    await database.execute([store.insertAgreement(agreementOf(1, 'ünï')), store.insertAgreement(agreementOf(2))])
    assert.deepEqual(await store.loadAgreements(), [agreementOf(2), agreementOf(1, 'ünï')])
  })

  test('an agreement that is there is not changed', async () => {
    const { store, database: opened } = await open()
    await using database = opened
    await database.execute([store.insertAgreement(agreementOf(1))])
    await database.execute([store.insertAgreement({ ...agreementOf(1, 'other'), hash: 'other' })])
    assert.deepEqual(await store.loadAgreements(), [agreementOf(1)])
  })

  test("keeps each side's first word about an end, for known and unknown agreements", async () => {
    const { store, database: opened } = await open()
    await using database = opened
    const byA = { agreement: idOf(1), by: a, atMs: 20, reason: 'done' }
    const byB = { agreement: idOf(1), by: b, atMs: 10, reason: '' }
    const other = { agreement: idOf(2), by: b, atMs: 5, reason: 'x' }
    const again = { ...byA, atMs: 99, reason: 'again' }
    await database.execute([byA, byB, other, again].map((one) => store.insertTermination(one)))
    assert.deepEqual(await store.loadTerminations(), [other, byB, byA])
    assert.deepEqual(await store.findTerminations(idOf(1)), [byB, byA])
    assert.deepEqual(await store.findTerminations(idOf(3)), [])
  })
}
