import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { parseDutyReceipt, verifyDutyReceipt, type DutyKind } from '@comity/core/duties/duty-receipt'
import { clock, pair } from './duties-test-pair.ts'

interface More {
  readonly kind: DutyKind
  readonly consent: string
  readonly subject?: string
}

/** An erasure, and more duties imposed by the same holder; all are owed. */
async function owing(...more: readonly More[]) {
  const both = await pair('erase')
  const { holder, debtor } = both
  for (const { kind, consent, subject = 'ps_of-the-athlete' } of more) {
    const about = { kind, consent, subjectPairwise: subject, subject: holder.vault.handleOf('athlete-1') }
    await holder.database.execute(holder.duties.impose({ ...about, debtor: debtor.did, dueMs: 3_000_000 }))
  }
  for (const { payload } of holder.told)
    await debtor.database.execute([...(await debtor.duties.handleImposed({ issuer: holder.did, payload })).effects])
  const ids = holder.told.map(({ payload }) => String(payload['duty']))
  return { ...both, ids, [Symbol.asyncDispose]: () => both[Symbol.asyncDispose]() }
}

test('who reports that a person was erased reports what else is owed of them, each with its own signed receipt', async () => {
  await using s = await owing(
    { kind: 'delete', consent: 'urn:uuid:1' },
    { kind: 'anonymise', consent: 'urn:uuid:2' },
    { kind: 'erase', consent: 'urn:uuid:2' },
    { kind: 'delete', consent: 'urn:uuid:3', subject: 'ps_2' },
    { kind: 'restrict', consent: 'urn:uuid:2' },
    { kind: 'access', consent: 'urn:uuid:2' },
  )
  const { holder, debtor, ids } = s
  const [erase = '', ...others] = ids
  const { isNew, state, discharged } = await debtor.duties.report(erase, { outcome: 'deleted' })
  assert.deepEqual([isNew, state, discharged.toSorted()], [true, 'done', others.slice(0, 3).toSorted()])
  assert.deepEqual(debtor.erased, ['ps_of-the-athlete', 'ps_of-the-athlete'], 'by each erasure, before it is signed')
  for (const { payload } of debtor.told) {
    const taken = await holder.duties.handleReported({ issuer: debtor.did, payload })
    await holder.database.execute([...taken.effects])
  }
  for (const one of [holder, debtor]) {
    const states = await Promise.all(ids.map(async (id) => (await one.duties.show(id)).state))
    assert.deepEqual(states, ['done', 'done', 'done', 'done', 'open', 'open', 'open'])
  }
  const signer = s.keys.get(debtor.keyid)
  assert.ok(signer)
  for (const id of [erase, ...discharged]) {
    const parsed = parseDutyReceipt((await holder.duties.show(id)).receipt ?? '')
    verifyDutyReceipt(parsed, importVerifyingKey(signer.publicJwk))
    assert.deepEqual([parsed.claims.duty, parsed.claims.outcome, parsed.claims.at], [id, 'deleted', clock.nowMs])
  }
  const [entry] = debtor.logged.map((body) => JSON.parse(body) as { duty: string; others: { duty: string }[] })
  assert.deepEqual([entry?.duty, entry?.others.map(({ duty }) => duty)], [erase, [...discharged]])
  assert.equal(debtor.logged.length, 1, 'one entry of the log, and so one transaction')
})

test('who had nothing of a person had nothing of them under any consent', async () => {
  await using s = await owing({ kind: 'anonymise', consent: 'urn:uuid:2' })
  const [erase = '', other = ''] = s.ids
  await s.debtor.duties.report(erase, { outcome: 'none-held' })
  assert.equal((await s.debtor.duties.show(other)).outcome, 'none-held')
  assert.deepEqual(s.debtor.erased, [])
})

test('who keeps the data by law, or deletes under one consent only, discharges nothing else', async () => {
  await using s = await owing({ kind: 'delete', consent: 'urn:uuid:1' }, { kind: 'delete', consent: 'urn:uuid:2' })
  const [erase = '', first = '', second = ''] = s.ids
  assert.deepEqual((await s.debtor.duties.report(first, { outcome: 'deleted' })).discharged, [])
  const kept = await s.debtor.duties.report(erase, { outcome: 'retained', ground: 'a law' })
  assert.deepEqual([kept.state, kept.discharged], ['refused', []])
  assert.equal((await s.debtor.duties.show(second)).state, 'open')
})

test('says what is missing when the ground is, and changes nothing', async () => {
  await using s = await owing()
  const [erase = ''] = s.ids
  const report = (outcome: 'retained' | 'refused') => s.debtor.duties.report(erase, { outcome })
  await assert.rejects(report('retained'), { code: 'duty-receipt-invalid', message: /`ground` .* which law/ })
  await assert.rejects(report('refused'), { code: 'duty-receipt-invalid', message: /`ground` .* why it is not done/ })
  assert.equal((await s.debtor.duties.show(erase)).state, 'open')
})
