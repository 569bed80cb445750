import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consentChanged } from '@comity/core/events/event-types'
import { Problem } from '@comity/core/problems'
import { maxUnread } from './held-events.ts'
import { askBody, createTestNetwork, deliver, holderDid, pairwiseOf, testGrants } from './held-test-network.ts'

const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code
const subject = pairwiseOf('A')

async function scene() {
  const network = createTestNetwork()
  const lab = await network.participant('did:web:lab.example')
  const ask = (label?: string, reference?: string) =>
    lab.held.ask({ partner: holderDid, request: askBody(reference), label })
  const tell = (id: string) =>
    deliver(lab, { issuer: holderDid, type: consentChanged, payload: network.holder.told(id) })
  return { network, lab, ask, tell, [Symbol.asyncDispose]: () => network[Symbol.asyncDispose]() }
}

test('what was asked for is kept until it is decided, under the application’s own name', async () => {
  await using s = await scene()
  const asked = await s.ask('patient 7')
  assert.deepEqual([asked.state, asked.holder, asked.rev], ['requested', holderDid, 0])
  assert.equal(asked.lapsesMs, s.network.clock.nowMs + 86_400_000)
  const [found] = await s.lab.held.list({ label: 'patient 7' })
  assert.deepEqual(found?.details, { label: 'patient 7', reference: '736041664' })
  assert.deepEqual(await s.lab.held.list({ label: 'patient 8' }), [])
  assert.equal((await s.lab.held.refresh(asked.id)).state, 'requested')
  assert.deepEqual(await s.lab.logged(), ['consent-asked'])
})

test('a holder that answers with the id of what another holder gives is not believed', async () => {
  await using s = await scene()
  const { id } = await s.ask('patient 7')
  const liar = 'did:web:liar.example'
  s.network.answers.set(liar, async () => ({ id, state: 'active' }))
  await assert.rejects(s.lab.held.ask({ partner: liar, request: askBody(), label: 'x' }), refused('answer-unusable'))
  const { held, details } = await s.lab.held.show(id)
  assert.deepEqual([held.holder, held.state, details?.label], [holderDid, 'requested', 'patient 7'])
  assert.deepEqual(await s.lab.logged(), ['consent-asked'])
})

test('nothing that names the person stands in the tables in clear', async () => {
  await using s = await scene()
  const { id } = await s.ask('patient 7')
  s.network.holder.grant(id, testGrants(), subject)
  await s.lab.held.refresh(id)
  const rows = JSON.stringify(await s.lab.database.all('SELECT * FROM held_consents'))
  const logged = JSON.stringify(await s.lab.database.all('SELECT * FROM logged'))
  for (const text of ['patient 7', '736041664', subject, 'height']) {
    assert.ok(!rows.includes(text) && !logged.includes(text), text)
  }
})

test('a decision is read with its record, which the holder signed', async () => {
  await using s = await scene()
  const { id } = await s.ask('patient 7')
  const record = s.network.holder.grant(id, testGrants(), subject)
  const held = await s.lab.held.refresh(id)
  assert.deepEqual([held.state, held.rev, held.seq], ['active', 1, 2])
  assert.equal(held.expiresMs, Date.parse(record.validity.expires))
  const { details } = await s.lab.held.show(id)
  assert.deepEqual([details?.label, details?.subject, details?.record?.id], ['patient 7', subject, id])
  assert.deepEqual(details?.scopes, testGrants())
  assert.equal((await s.lab.held.list({ subject }))[0]?.held.id, id)
  assert.equal((await s.lab.held.list({ holder: holderDid, state: 'active' })).length, 1)
})

test('a record that the holder did not sign, of another consent or for another recipient is refused', async () => {
  await using s = await scene()
  const { id } = await s.ask()
  const other = await s.ask()
  s.network.holder.grant(id, testGrants(), subject)
  s.network.holder.grant(other.id, testGrants(), subject)
  const honest = s.network.holder.answer
  const shownAs = (change: (shown: { record: Record<string, unknown>; state: string; events: unknown[] }) => unknown) =>
    s.network.answers.set(holderDid, async (caller, request) => {
      const value = await honest(caller, request)
      return request.path === `/consents/${id}` ? change(JSON.parse(JSON.stringify(value))) : value
    })
  const elsewhere = (await honest(
    { did: s.lab.did, jwk: s.network.holder.signer.key.publicJwk },
    {
      method: 'GET',
      path: `/consents/${other.id}`,
    },
  )) as { record: object }
  shownAs((shown) => ({ ...shown, record: { ...shown.record, proofs: [] } }))
  await assert.rejects(s.lab.held.refresh(id), refused('consent-record-invalid'))
  shownAs((shown) => ({ ...shown, record: { ...shown.record, createdAt: '2026-01-01T00:00:00Z' } }))
  await assert.rejects(s.lab.held.refresh(id), refused('consent-proof-invalid'))
  shownAs((shown) => ({ ...shown, record: elsewhere.record }))
  await assert.rejects(s.lab.held.refresh(id), refused('consent-record-invalid'))
  shownAs((shown) => ({ ...shown, events: shown.events.slice(1) }))
  await assert.rejects(s.lab.held.refresh(id), refused('consent-record-invalid'))
  shownAs((shown) => ({ ...shown, state: 'paused' }))
  await assert.rejects(s.lab.held.refresh(id), refused('consent-record-invalid'))
  assert.equal((await s.lab.held.show(id)).held.state, 'requested')
  s.network.answers.set(holderDid, honest)
  assert.equal((await s.lab.held.refresh(id)).state, 'active')
})

test('of who refused nothing is kept but that there was an answer', async () => {
  await using s = await scene()
  const { id } = await s.ask('patient 7')
  s.network.holder.step(id, 'refused')
  assert.equal((await s.lab.held.refresh(id)).state, 'refused')
  assert.deepEqual((await s.lab.held.show(id)).details, {})
  assert.equal((await s.lab.held.list({ label: 'patient 7' })).length, 1)
})

test('the own systems are told of every state, once, and of nothing that is about the person', async () => {
  await using s = await scene()
  const { id } = await s.ask('patient 7')
  await s.lab.held.refresh(id)
  assert.deepEqual(await s.lab.webhooks(), [], 'that one has asked is known')
  s.network.holder.grant(id, testGrants(), subject)
  await s.tell(id)
  await s.lab.held.refresh(id)
  await s.lab.held.refresh(id)
  const at = '2026-03-01T10:00:00Z'
  const told = { side: 'recipient', id, consent: id, holder: holderDid, rev: 1, at }
  assert.deepEqual(await s.lab.webhooks(), [{ ...told, state: 'active' }])
  for (const step of ['paused', 'resumed', 'withdrawn'] as const) {
    s.network.holder.step(id, step)
    await s.tell(id)
    await s.tell(id)
  }
  const states = (await s.lab.webhooks()).map(({ state }) => state)
  assert.deepEqual(states, ['active', 'paused', 'active', 'withdrawn'])
})

test('two that find the same change at once tell of it once', async () => {
  await using s = await scene()
  const { id } = await s.ask()
  s.network.holder.grant(id, testGrants(), subject)
  await s.lab.held.refresh(id)
  s.network.holder.step(id, 'withdrawn')
  const event = { issuer: holderDid, payload: s.network.holder.told(id), occurredMs: 0 }
  const [taken, again] = [await s.lab.events.consentChanged(event), await s.lab.events.consentChanged(event)]
  await s.lab.held.refresh(id)
  await s.lab.database.execute([...taken, ...again])
  assert.deepEqual(
    (await s.lab.webhooks()).map(({ state }) => state),
    ['active', 'withdrawn'],
  )
})

test('the own systems are told what a read and a refused call have shown before any notice', async () => {
  await using s = await scene()
  const { id } = await s.ask()
  s.network.holder.grant(id, testGrants(), subject)
  await s.lab.held.refresh(id)
  s.network.holder.step(id, 'paused')
  const call = { partner: holderDid, product: 'athletes', purpose: undefined, named: id, subject: undefined }
  await assert.rejects(s.lab.attach(call), refused('consent-inactive'))
  await s.tell(id)
  const [granted, paused, ...others] = await s.lab.webhooks()
  assert.deepEqual([granted?.['state'], paused?.['state'], others], ['active', 'paused', []])
})

test('a notice of a change counts at once, and once, in whatever order notices come', async () => {
  await using s = await scene()
  const { id } = await s.ask()
  s.network.holder.grant(id, testGrants(), subject)
  const granted = s.network.holder.told(id)
  s.network.holder.step(id, 'withdrawn')
  await s.tell(id)
  await deliver(s.lab, { issuer: holderDid, type: consentChanged, payload: granted })
  assert.equal((await s.lab.held.show(id)).held.state, 'withdrawn')
})

test('the terms of a narrower revision are read after its notice, at the latest in the next round', async () => {
  await using s = await scene()
  const { id } = await s.ask()
  const [grant] = testGrants()
  assert.ok(grant)
  s.network.holder.grant(id, [grant], subject)
  await s.lab.held.refresh(id)
  const narrower = [{ ...grant, fields: { include: ['height'] } }]
  s.network.holder.grant(id, narrower, subject)
  await s.tell(id)
  const { store } = s.lab.parts
  assert.deepEqual(
    (await store.findOpen(s.network.clock.nowMs + 1, 9)).map((held) => held.id),
    [id],
  )
  await s.lab.held.refresh(id)
  assert.deepEqual((await s.lab.held.show(id)).details?.scopes, narrower)
  assert.deepEqual(await store.findOpen(s.network.clock.nowMs + 1, 9), [])
})

test('who is neither holder nor giver of a consent changes nothing about it', async () => {
  await using s = await scene()
  const { id } = await s.ask()
  s.network.holder.grant(id, testGrants(), subject)
  await s.lab.held.refresh(id)
  s.network.holder.step(id, 'withdrawn')
  const payload = s.network.holder.told(id)
  await deliver(s.lab, { issuer: 'did:web:stranger.example', type: consentChanged, payload })
  assert.equal((await s.lab.held.show(id)).held.state, 'active')
  const claimed = { ...payload, holder: 'did:web:stranger.example' }
  await deliver(s.lab, { issuer: 'did:web:stranger.example', type: consentChanged, payload: claimed })
  assert.equal((await s.lab.held.show(id)).held.state, 'active')
})

test('a consent whose request was answered into the void is found by its notice', async () => {
  await using s = await scene()
  const honest = s.network.holder.answer
  let lost = ''
  s.network.answers.set(holderDid, async (caller, request) => {
    const value = await honest(caller, request)
    if (request.method !== 'POST') return value
    lost = (value as { id: string }).id
    throw new Problem('partner-timeout', 'the answer was lost')
  })
  await assert.rejects(s.ask('patient 7'), refused('partner-timeout'))
  s.network.answers.set(holderDid, honest)
  s.network.holder.grant(lost, testGrants(), subject)
  await s.tell(lost)
  assert.deepEqual(s.lab.readSoon, [lost])
  await s.lab.held.refresh(lost)
  assert.equal((await s.lab.held.show(lost)).details?.subject, subject)
})

test('a holder that makes up consents fills this node with no more than a hundred of them', async () => {
  await using s = await scene()
  const asked = await s.ask()
  const payloadOf = (digit: number, rev = 1) => {
    const consent = `urn:uuid:00000000-0000-7000-8000-${String(digit).padStart(12, '0')}`
    return { consent, holder: holderDid, state: 'active', rev, hash: 'a'.repeat(43), seq: 2, time: 1 }
  }
  const tell = (payload: ReturnType<typeof payloadOf>) =>
    deliver(s.lab, { issuer: holderDid, type: consentChanged, payload })
  await tell(payloadOf(999, 0))
  for (let digit = 0; digit < maxUnread + 5; digit++) await tell(payloadOf(digit))
  const rows = await s.lab.held.list({ limit: 500 })
  assert.equal(rows.length, maxUnread + 1)
  assert.ok(rows.some(({ held }) => held.id === asked.id))
  // What was asked for is not among them: the answers to it count as ever.
  s.network.holder.grant(asked.id, testGrants(), subject)
  await s.tell(asked.id)
  assert.equal((await s.lab.held.refresh(asked.id)).state, 'active')
})

test('a consent is given up at its holder, which nobody can undo', async () => {
  await using s = await scene()
  const { id } = await s.ask()
  s.network.holder.grant(id, testGrants(), subject)
  await s.lab.held.refresh(id)
  assert.equal((await s.lab.held.revoke(id, 'done')).state, 'revoked')
  await assert.rejects(s.lab.held.revoke(id), refused('consent-state'))
})

test('a person who was erased is named no more, and who consents again has come back', async () => {
  await using s = await scene()
  const { id } = await s.ask('patient 7')
  s.network.holder.grant(id, testGrants(), subject)
  await s.lab.held.refresh(id)
  const handle = s.lab.vault.handleOf(subject)
  await s.lab.database.execute(s.lab.vault.destroy(handle, s.network.clock.nowMs))
  await s.lab.vault.forget(handle)
  assert.equal((await s.lab.held.show(id)).details, undefined)
  const again = await s.ask('patient 7')
  s.network.holder.grant(again.id, testGrants(), subject)
  await s.lab.held.refresh(again.id)
  assert.equal((await s.lab.held.show(again.id)).details?.subject, subject)
  assert.equal((await s.lab.held.show(id)).details, undefined)
})

test('unknown partners and consents, and requests that no holder could take, are refused before anything is sent', async () => {
  await using s = await scene()
  const ask = (partner: string, request: unknown) => s.lab.held.ask({ partner, request })
  await assert.rejects(ask('did:web:nobody.example', askBody()), refused('partner-unknown'))
  await assert.rejects(ask(holderDid, { ...askBody(), surprise: 1 }), refused('consent-request-invalid'))
  await assert.rejects(s.lab.held.show('urn:uuid:00000000-0000-7000-8000-000000000000'), refused('consent-unknown'))
  assert.deepEqual(s.lab.seen, [])
})
