/** Whatever is tried with a consent, in whatever order and at whatever time: row, steps, status, tokens and what is told
 *  agree, and what has ended stays ended. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFinalState } from '@comity/core/consent/consent-states'
import { recordHash, verifyEventChain, verifyRecordChain } from '@comity/core/consent/parse-record'
import { testGrant, testRequest } from '@comity/core/consent/test-consent'
import { Problem } from '@comity/core/problems'
import fc from 'fast-check'
import type { ConsentChange } from '../src/consent/consent-service.ts'
import { bySubject, dayMs, imposed, lab, linkProof, openScene, toldToNodes, type Scene } from './consent-scene.ts'

const request = testRequest({ grants: [testGrant({ retention: { onWithdrawal: 'delete' } })] })
const fields = ['sport', 'height', 'weight']

type Attempt = (scene: Scene, id: string) => Promise<unknown>

const roles = ['subject', 'grantor', 'holder', 'recipient', 'clock'] as const
const change = (by: ConsentChange['by']): ConsentChange => ({ by, actorId: by, method: 'api' })

async function decide({ consents }: Scene, id: string, chosen: readonly string[]): Promise<void> {
  const draft = await consents.draft(id, { grants: [{ id: 'g1', fields: chosen }] }, bySubject())
  await consents.grant(draft, linkProof(draft), bySubject())
}

const attempt: fc.Arbitrary<Attempt> = fc.oneof(
  fc.subarray(fields, { minLength: 1 }).map(
    (chosen): Attempt =>
      (scene, id) =>
        decide(scene, id, chosen),
  ),
  fc.tuple(fc.constantFrom('pause', 'resume', 'withdraw', 'revoke'), fc.constantFrom(...roles)).map(
    ([kind, role]): Attempt =>
      ({ consents }, id) =>
        consents[kind](id, change(role)),
  ),
  fc.constantFrom<Attempt[]>(
    ({ consents }, id) => consents.present(id, bySubject()),
    ({ consents }, id) => consents.defer(id, bySubject()),
    ({ consents }) => consents.expireDue(),
  ),
  fc.integer({ min: 1, max: 6 }).map(
    (days): Attempt =>
      async ({ world }) =>
        void (world.nowMs += days * dayMs),
  ),
)

test('row, steps, records, tokens and notices agree after every attempt', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(attempt, { minLength: 1, maxLength: 3 }), { maxLength: 14 }), async (rounds) => {
      await using scene = await openScene()
      const { id } = await scene.consents.requestConsent(request, { did: lab.did })
      let ended: unknown
      for (const round of rounds) {
        const results = await Promise.allSettled(round.map((work) => work(scene, id)))
        for (const result of results) if (result.status === 'rejected') assertRefusal(result.reason)
        await assertAgreement(scene, id)
        const row = await scene.store.find(id)
        assert.deepEqual(row, ended ?? row)
        if (row !== undefined && isFinalState(row.state)) ended = row
      }
    }),
    { numRuns: 60 },
  )
})

function assertRefusal(error: unknown): void {
  assert.ok(error instanceof Problem && /^consent-(state|choice-invalid)$/.test(error.code), String(error))
}

async function assertAgreement(scene: Scene, id: string): Promise<void> {
  const { consents, store, issuer } = scene
  const [row, events, records] = await Promise.all([store.find(id), consents.events(id), consents.records(id)])
  assert.ok(row !== undefined)
  verifyEventChain(events)
  const last = events.at(-1)
  assert.deepEqual([row.state, row.seq], [last?.state, last?.seq])
  assert.equal(records.length, row.rev)
  if (records.length > 0) verifyRecordChain(records)
  assert.equal(row.hash, records.length === 0 ? undefined : recordHash(records.at(-1)!))
  assert.equal(row.dueMs === undefined, isFinalState(row.state))
  assert.equal(row.pausedBy !== undefined, row.state === 'paused')
  const now = (await consents.find(id))?.state
  const bearer = { did: lab.did, jwk: lab.key.publicJwk }
  const token = await issuer.tokenFor(id, bearer).catch(() => undefined)
  assert.equal(token !== undefined, now === 'active')
  const told = await toldToNodes(scene)
  const changes = events.filter(({ rev, type }) => type !== 'presented' && rev !== undefined)
  assert.deepEqual(
    told.map(({ seq }) => seq),
    changes.map(({ seq }) => seq),
  )
  const owes = row.rev > 0 && ['expired', 'withdrawn', 'revoked'].includes(row.state)
  const duties = await imposed(scene)
  assert.equal(duties.filter(({ fields: only }) => only === undefined).length, owes ? 1 : 0)
  // What each revision gives no more of the one before is owed from then on.
  const given = records.map(({ grants: [grant] }) => grant?.fields?.include ?? fields)
  const dropped = given.slice(1).map((after, index) => given[index]?.filter((field) => !after.includes(field)) ?? [])
  assert.deepEqual(
    duties.flatMap(({ fields: only }) => (only === undefined ? [] : [only])),
    dropped.filter(({ length }) => length > 0),
  )
}
