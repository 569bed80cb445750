/** What a crash leaves of calls that change something about a person. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exchangeEventBody, parseExchangeEvent } from '@comity/core/exchange/event'
import { createIntentStore, type Intent } from '../src/gateway/intent-store.ts'
import { startPersonalNetwork, type PersonalNetwork } from './personal-network.ts'
import { athleteReference, otherReference } from './personal-upstream.ts'

/** The durable intent of a call whose process died before the outcome. */
async function leaveIntent({ holder, recipient, clock }: PersonalNetwork, reference: string): Promise<Intent> {
  const { foundation, newId } = holder.running.parts
  const { database, vault } = foundation
  const subject = await vault.open(vault.handleOf(reference))
  const id = newId()
  const consent = { id: 'urn:uuid:1', rev: 1, hash: 'A'.repeat(43) }
  const facts = { id, role: 'holder', outcome: 'intended', time: clock.now(), peer: recipient.did, consent } as const
  const intent = {
    id,
    caller: recipient.did,
    idempotencyKey: id,
    fingerprint: `about ${reference}`,
    event: exchangeEventBody({ ...facts, method: 'POST' }),
    startedMs: clock.now(),
    subject,
    nonce: undefined,
  }
  await database.execute([createIntentStore(database, vault).insert(intent)])
  return intent
}

test('an open intent about a person is closed as unknown under that person`s key, of an erased one without a word', async () => {
  await using network = await startPersonalNetwork()
  const { holder, recipient } = network
  const kept = await leaveIntent(network, athleteReference)
  const gone = await leaveIntent(network, otherReference)
  const before = holder.running.parts.foundation
  const erased = before.vault.handleOf(otherReference)
  await before.database.execute(before.vault.destroy(erased, network.clock.now()))
  await before.vault.forget(erased)
  await holder.stop()
  await holder.start()

  const { foundation, auditLog } = holder.running.parts
  const { database, vault } = foundation
  const intents = createIntentStore(database, vault)
  assert.deepEqual(await intents.findRunning(), [])
  const found = await intents.findByKey(recipient.did, kept.id)
  assert.deepEqual([found?.state, found?.fingerprint], ['unknown', kept.fingerprint])
  const unreadable = await intents.findByKey(recipient.did, gone.id)
  assert.deepEqual([unreadable?.state, unreadable?.fingerprint, unreadable?.event], ['unknown', undefined, undefined])

  const sealed = await auditLog.readEvents({ subject: vault.handleOf(athleteReference) })
  const facts = parseExchangeEvent(sealed.at(-1)?.body ?? '')
  assert.deepEqual([facts.id, facts.outcome, facts.consent?.id], [kept.id, 'unknown', 'urn:uuid:1'])
  const events = (await auditLog.readEvents({ limit: 1_000 })).flatMap(({ type, body }) =>
    type === 'exchange' && body !== undefined ? [parseExchangeEvent(body)] : [],
  )
  const closed = events.find(({ id }) => id === gone.id)
  assert.deepEqual([closed?.outcome, closed?.consent, closed?.peer], ['unknown', undefined, undefined])
})
