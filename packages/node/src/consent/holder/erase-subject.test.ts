import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsentStanding } from '../consent-service.ts'
import { createSubjectErasure, type SubjectErasureParts } from './erase-subject.ts'

const row = (index: number, state: string) => ({ id: String(index).padStart(6, '0'), state })

/** Gives 500 at most, newest first, as the stores do. */
const listing =
  <T>(rows: readonly { readonly id: string }[]) =>
  async ({ limit, before = '~' }: { readonly limit: number; readonly before?: string }) =>
    rows.filter(({ id }) => id < before).slice(0, Math.min(limit, 500)) as T[]

test('an erasure ends every consent of the person, however many others there are', async () => {
  const rows = Array.from({ length: 1_200 }, (_, index) => row(1_200 - index, index < 1_199 ? 'expired' : 'active'))
  const held = Array.from({ length: 700 }, (_, index) => ({ ...row(700 - index, 'active'), holder: 'did:web:x' }))
  const revoked: string[] = []
  const dropped: string[] = []
  const parts = {
    did: 'did:web:a.example',
    clock: { now: () => 1 },
    newId: () => 'id',
    vault: { handleOf: () => 'handle', destroy: () => [], forget: async () => undefined },
    consents: { list: listing<ConsentStanding>(rows), revoke: async (id: string) => revoked.push(id) },
    store: { list: listing(held), standingDelegations: async () => [] },
    keeper: { drop: (id: string) => dropped.push(id) },
    outbox: { wake: () => undefined },
    record: async () => 1,
    deletions: [],
  } as unknown as SubjectErasureParts
  assert.deepEqual(await createSubjectErasure(parts)('1'), { ended: 1, forgotten: 700 })
  assert.deepEqual(revoked, ['000001'])
  assert.equal(dropped.length, 700)
})
