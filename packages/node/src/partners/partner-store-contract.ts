/** What every store of partners must do; each backend's test runs it on a fresh store. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PartnerStore, StoredPartner } from './partner-store.ts'

const lab: StoredPartner = {
  alias: 'lab',
  did: 'did:web:lab.example',
  url: 'https://lab.example',
  tlsFingerprints: ['sha256:one', 'sha256:two'],
  requireClientCertificate: true,
  country: 'CH',
  name: 'The Lab',
  sealing: { answers: 'required', requests: 'off', algorithms: ['HPKE-9', 'ECDH-ES+A256KW'] },
}
const archive: StoredPartner = {
  alias: 'archive',
  did: 'did:web:archive.example',
  url: 'https://archive.example:8443/node',
  tlsFingerprints: [],
  requireClientCertificate: false,
}

/** Registers the tests. `withStore` opens an empty store and closes it after the work. */
export function partnerStoreContract(withStore: (work: (store: PartnerStore) => Promise<void>) => Promise<void>): void {
  test('gives back partners by alias, as they were stored', () =>
    withStore(async (store) => {
      assert.deepEqual(await store.list(), [])
      assert.equal(await store.insert(lab, 1), true)
      assert.equal(await store.insert(archive, 2), true)
      assert.deepEqual(await store.list(), [archive, lab])
    }))

  test('keeps one partner per alias and per DID', () =>
    withStore(async (store) => {
      await store.insert(lab, 1)
      assert.equal(await store.insert({ ...archive, alias: lab.alias }, 2), false)
      assert.equal(await store.insert({ ...archive, did: lab.did }, 3), false)
      assert.deepEqual(await store.list(), [lab])
    }))

  test('removes a partner together with what was learned about it', () =>
    withStore(async (store) => {
      await store.insert(lab, 1)
      await store.saveLearned({ did: lab.did, agreed: ['a'], named: ['a'] }, 2)
      assert.equal(await store.remove(archive.did), false)
      assert.equal(await store.remove(lab.did), true)
      assert.deepEqual([await store.list(), await store.listLearned()], [[], []])
    }))

  test('keeps the last TLS keys that were learned, also of partners it does not hold', () =>
    withStore(async (store) => {
      await store.saveLearned({ did: lab.did, agreed: ['a', 'b'], named: ['a', 'c'] }, 1)
      const last = { did: lab.did, agreed: ['a', 'b'], named: [] }
      await store.saveLearned(last, 2)
      assert.deepEqual(await store.listLearned(), [last])
    }))
}
