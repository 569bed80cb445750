import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dutyImposed, dutyReported } from '@comity/core/events/event-types'
import type { SigningKey } from '@comity/core/crypto/crypto'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { parseDutyReceipt, signDutyReceipt } from '@comity/core/duties/duty-receipt'
import { clock, keptIn, pair, retired } from './duties-test-pair.ts'

test('whom a duty is about, and its receipt, are kept sealed, and gone with the person`s key once it is closed', async () => {
  await using both = await pair()
  const { holder, debtor, take } = both
  await debtor.database.execute([...(await take()).effects])
  const id = (await debtor.duties.list({}))[0]?.id ?? ''
  const { receipt = '' } = await debtor.duties.report(id, { outcome: 'deleted' })
  const payload = debtor.told[0]?.payload ?? {}
  await holder.database.execute([...(await holder.duties.handleReported({ issuer: debtor.did, payload })).effects])
  for (const [one, reference] of [
    [holder, 'athlete-1'],
    [debtor, 'ps_of-the-athlete'],
  ] as const) {
    const kept = await keptIn(one)
    assert.ok(!kept.includes('ps_of-the-athlete') && !kept.includes(receipt))
    assert.deepEqual(
      [(await one.duties.show(id)).subject, (await one.duties.show(id)).receipt],
      ['ps_of-the-athlete', receipt],
    )
    const handle = one.vault.handleOf(reference)
    await one.database.execute(one.vault.destroy(handle, clock.now()))
    await one.vault.forget(handle)
    const { subject, state, outcome, receipt: lost } = await one.duties.show(id)
    assert.deepEqual([subject, state, outcome, lost], [undefined, 'done', 'deleted', undefined])
  }
})

test('an open duty outlives the person`s key on both sides: it is done, and its receipt shows it', async () => {
  await using both = await pair('erase')
  const { holder, debtor, take } = both
  await debtor.database.execute([...(await take()).effects])
  for (const [{ database, vault }, reference] of [
    [holder, 'athlete-1'],
    [debtor, 'ps_of-the-athlete'],
  ] as const) {
    await vault.open(vault.handleOf(reference))
    await database.execute(vault.destroy(vault.handleOf(reference), clock.now()))
    await vault.forget(vault.handleOf(reference))
  }
  const id = (await debtor.duties.list({}))[0]?.id ?? ''
  await debtor.duties.report(id, { outcome: 'deleted' })
  const payload = debtor.told[0]?.payload ?? {}
  const taken = await holder.duties.handleReported({ issuer: debtor.did, payload })
  assert.equal(taken.subject, undefined, 'there is no key for the log')
  await holder.database.execute([...taken.effects])
  for (const one of [holder, debtor]) {
    const { subject, state, receipt = '' } = await one.duties.show(id)
    assert.deepEqual([subject, state, parseDutyReceipt(receipt).claims.sub], [undefined, 'done', 'ps_of-the-athlete'])
    assert.ok(!(await keptIn(one)).includes(receipt))
  }
})

test('a duty is told to its debtor, done, and closed at the holder by the signed receipt', async () => {
  await using both = await pair()
  const { holder, debtor, imposed, take } = both
  assert.deepEqual([imposed.recipient, imposed.type], [debtor.did, dutyImposed])
  await debtor.database.execute([...(await take()).effects])
  assert.equal(debtor.hooks[0]?.type, 'duty.owed')
  const [owed] = await debtor.duties.list({ side: 'owed' })
  assert.equal(owed?.state, 'open')
  await debtor.duties.report(owed?.id ?? '', { outcome: 'deleted' })
  const [reported] = debtor.told
  assert.deepEqual([reported?.recipient, reported?.type], [holder.did, dutyReported])
  await holder.database.execute([
    ...(await holder.duties.handleReported({ issuer: debtor.did, payload: reported?.payload ?? {} })).effects,
  ])
  const [closed] = await holder.duties.list({ side: 'imposed' })
  assert.deepEqual([closed?.state, closed?.outcome], ['done', 'deleted'])
  assert.equal(parseDutyReceipt(closed?.receipt ?? '').claims.iss, debtor.did)
})

test('a duty that is told twice is owed once, and reported once', async () => {
  await using both = await pair()
  const { debtor, take } = both
  await debtor.database.execute([...(await take()).effects])
  assert.deepEqual((await take()).effects, [])
  const [owed] = await debtor.duties.list({ side: 'owed' })
  const first = await debtor.duties.report(owed?.id ?? '', { outcome: 'retained', ground: 'a law' })
  const second = await debtor.duties.report(owed?.id ?? '', { outcome: 'deleted' })
  assert.deepEqual([first.isNew, second], [true, { ...first, isNew: false }])
  assert.equal(debtor.told.length, 1)
  assert.equal(first.state, 'refused')
})

test('of two reports at once one counts, and one receipt is sent', async () => {
  await using both = await pair()
  const { debtor, take } = both
  await debtor.database.execute([...(await take()).effects])
  const [owed] = await debtor.duties.list({ side: 'owed' })
  const id = owed?.id ?? ''
  const [first, second] = await Promise.all([
    debtor.duties.report(id, { outcome: 'deleted' }),
    debtor.duties.report(id, { outcome: 'retained', ground: 'a law' }),
  ])
  assert.deepEqual(second, { ...first, isNew: false })
  assert.deepEqual([first.outcome, debtor.told.length], ['deleted', 1])
})

test('who signs that a person was erased has erased them here too; who keeps them by law has not', async () => {
  for (const [report, erased] of [
    [{ outcome: 'deleted' } as const, ['ps_of-the-athlete']],
    [{ outcome: 'retained', ground: 'a law' } as const, []],
  ] as const) {
    await using both = await pair('erase')
    const { debtor, take } = both
    await debtor.database.execute([...(await take()).effects])
    const [owed] = await debtor.duties.list({ side: 'owed' })
    await debtor.duties.report(owed?.id ?? '', report)
    assert.deepEqual(debtor.erased, erased)
  }
})

test('refuses a duty that somebody imposes in the name of another, or under an id that is taken', async () => {
  await using both = await pair()
  const { debtor, imposed, take } = both
  const invalid = { code: 'event-invalid' }
  await assert.rejects(debtor.duties.handleImposed({ issuer: 'did:web:x.example', payload: imposed.payload }), invalid)
  await debtor.database.execute([...(await take()).effects])
  const forged = { issuer: 'did:web:x.example', payload: { ...imposed.payload, holder: 'did:web:x.example' } }
  await assert.rejects(debtor.duties.handleImposed(forged), invalid)
})

test('refuses a receipt of another duty, another debtor, another person, or with a forged signature', async () => {
  await using both = await pair()
  const { keys, holder, debtor, imposed } = both
  const duty = String(imposed.payload['duty'])
  const claims = {
    iss: debtor.did,
    aud: holder.did,
    iat: 1_000,
    duty,
    kind: 'delete',
    consent: 'urn:uuid:1',
    sub: 'ps_of-the-athlete',
    outcome: 'deleted',
    at: 1_000_000,
  } as const
  const signer = { keyid: debtor.keyid, key: keys.get(debtor.keyid) as SigningKey }
  const forger = { keyid: debtor.keyid, key: importSigningKey(generatePrivateJwk('ed25519')) }
  const receipts = [
    signDutyReceipt({ ...claims, duty: 'other' }, signer),
    signDutyReceipt({ ...claims, sub: 'ps_2' }, signer),
    signDutyReceipt({ ...claims, aud: 'did:web:x.example' }, signer),
    signDutyReceipt({ ...claims, consent: 'urn:uuid:2' }, signer),
    signDutyReceipt({ ...claims, kind: 'erase' }, signer),
    signDutyReceipt(claims, forger),
    'a.b.c',
  ]
  for (const receipt of receipts) {
    const event = { issuer: debtor.did, payload: { duty, receipt } }
    await assert.rejects(holder.duties.handleReported(event), { code: 'event-invalid' })
  }
  const right = signDutyReceipt(claims, signer)
  const stranger = { issuer: 'did:web:x.example', payload: { duty, receipt: right } }
  await assert.rejects(holder.duties.handleReported(stranger), { code: 'event-invalid' })
  assert.equal((await holder.duties.show(duty)).state, 'open')
})

test('refuses a receipt of an impossible time, and a key that was out of use by the time that the receipt bears', async (t) => {
  await using both = await pair()
  const { keys, holder, debtor, imposed } = both
  t.after(() => {
    retired.clear()
    clock.nowMs = 1_000_000
  })
  const duty = String(imposed.payload['duty'])
  const signer = { keyid: debtor.keyid, key: keys.get(debtor.keyid) as SigningKey }
  const told = (members: { at: number; iat?: number }) => {
    const about = { duty, kind: 'delete', consent: 'urn:uuid:1', sub: 'ps_of-the-athlete', outcome: 'deleted' } as const
    const iat = Math.floor(members.at / 1000)
    const receipt = signDutyReceipt({ iss: debtor.did, aud: holder.did, ...about, iat, ...members }, signer)
    return holder.duties.handleReported({ issuer: debtor.did, payload: { duty, receipt } })
  }
  clock.nowMs = 1_500_000
  for (const at of [0, Date.UTC(1999, 0), Date.UTC(2099, 0), 969_999, 1_530_001]) {
    await assert.rejects(told({ at }), { code: 'event-invalid' }, String(at))
  }
  for (const iat of [0, Date.UTC(1999, 0) / 1000, Date.UTC(2099, 0) / 1000, 968, 1_531]) {
    await assert.rejects(told({ at: 1_200_000, iat }), { code: 'event-invalid' }, String(iat))
  }
  // Out of use since before the duty: no time that the receipt could bear is one of the key.
  retired.set(debtor.keyid, 900_000)
  await assert.rejects(told({ at: 899_000 }), { code: 'event-invalid' })
  await assert.rejects(told({ at: 1_200_000 }), { code: 'key-unknown' })
  retired.set(debtor.keyid, 1_300_000)
  await assert.rejects(told({ at: 1_200_000, iat: 1_400 }), { code: 'key-unknown' })
  assert.equal((await holder.duties.show(duty)).state, 'open')
  // Made while the key was in use, and delivered after.
  await holder.database.execute([...(await told({ at: 1_200_000 })).effects])
  assert.equal((await holder.duties.show(duty)).state, 'done')
})

test('a duty that is not done in time is shown as overdue and told once', async () => {
  await using both = await pair()
  const { holder } = both
  clock.nowMs = 1_999_999
  assert.deepEqual([await holder.duties.countOverdue(), (await holder.duties.list({}))[0]?.isOverdue], [0, false])
  clock.nowMs = 2_000_000
  await holder.duties.tellOverdue()
  await holder.duties.tellOverdue()
  assert.equal(holder.overdue.length, 1)
  assert.deepEqual(
    holder.hooks.map(({ type }) => type),
    ['duty.overdue'],
  )
  assert.deepEqual([await holder.duties.countOverdue(), (await holder.duties.list({}))[0]?.isOverdue], [1, true])
  clock.nowMs = 1_000_000
})

test('refuses to report what is not owed, and an outcome that is none of the duty', async () => {
  await using both = await pair()
  const { holder, debtor, take, imposed } = both
  const id = String(imposed.payload['duty'])
  await assert.rejects(holder.duties.report(id, { outcome: 'deleted' }), { code: 'duty-unknown' })
  await assert.rejects(debtor.duties.report(id, { outcome: 'deleted' }), { code: 'duty-unknown' })
  await debtor.database.execute([...(await take()).effects])
  await assert.rejects(debtor.duties.report(id, { outcome: 'lifted' }), {
    code: 'duty-receipt-invalid',
    message:
      '`lifted` is not how a duty `delete` ends; it ends with one of `deleted`, `none-held`, `retained`, `refused`',
    members: { outcomes: ['deleted', 'none-held', 'retained', 'refused'] },
  })
})
