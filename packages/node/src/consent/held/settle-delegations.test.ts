import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consentChanged, delegationEnded } from '@comity/core/events/event-types'
import type { ConsentScope } from '@comity/core/consent/consent-scope'
import {
  chainOf,
  firmDid,
  labDid,
  refused,
  scene,
  subDid,
  subject,
  verifiedAt,
  type DelegationScene,
} from './held-delegation-scene.ts'
import { deliver, deliverAll, holderDid, testGrants, type TestParticipant } from './held-test-network.ts'
import { decideLeft, takePart } from './settle-delegations.ts'

const marketing = 'https://w3id.org/dpv#Marketing'
const scopeNamed = (grant: string): ConsentScope => ({
  grant,
  effect: 'permit',
  purposes: ['https://w3id.org/dpv#ResearchAndDevelopment'],
  actions: ['read'],
  products: [`product-${grant}`],
  domains: ['sport'],
  onward: { allow: 'any' },
})

/** The person gives less; the recipient is told, and reads what is left. */
async function narrow(s: DelegationScene, ...include: string[]): Promise<void> {
  const [grant] = testGrants({ allow: 'any', maxDepth: 3 })
  assert.ok(grant)
  s.network.holder.grant(s.id, [{ ...grant, fields: { include } }], subject)
  await deliver(s.lab, { issuer: holderDid, type: consentChanged, payload: s.network.holder.told(s.id) })
  for (const id of s.lab.readSoon.splice(0)) await s.lab.held.refresh(id)
}

const summaries = (told: Awaited<ReturnType<TestParticipant['told']>>) =>
  told
    .filter(({ type }) => type === delegationEnded)
    .map(({ recipient, payload }) => [recipient, payload['delegation']])

test('a delegation that names what a narrowed consent no longer gives ends, and everyone hears of it', async () => {
  await using s = await scene()
  const { id } = await s.lab.delegations.delegate(s.heightOnly(firmDid, { onward: { allow: 'any', maxDepth: 3 } }))
  await deliverAll(s.lab, [s.firm])
  await s.firm.delegations.delegate(s.heightOnly(subDid))
  await deliverAll(s.firm, [s.sub])
  await narrow(s, 'birthYear')
  const told = await s.lab.told()
  assert.deepEqual(summaries(told), [
    [firmDid, id],
    [holderDid, id],
  ])
  const [listed] = await s.lab.delegations.list()
  assert.deepEqual([listed?.endedMs, listed?.endedBy], [s.network.clock.nowMs, 'narrowing'])
  for (const { recipient, type, payload } of told)
    if (recipient === firmDid) await deliver(s.firm, { issuer: labDid, type, payload })
  assert.deepEqual(
    (await s.firm.delegations.list()).map(({ endedBy }) => endedBy),
    ['consent'],
  )
  await deliverAll(s.firm, [s.sub])
  for (const one of [s.firm, s.sub]) await assert.rejects(chainOf(one, s.id), refused('consent-inactive'))
  // The part that is left can be passed on at once.
  await s.lab.delegations.delegate({ ...s.heightOnly(firmDid), parts: [{ grant: 'g1' }] })
})

test('a delegation of whatever a grant gives follows when it gives less, at every link, and never grows again', async () => {
  await using s = await scene()
  const all = { onward: { allow: 'any', maxDepth: 3 } as const }
  await s.lab.delegations.delegate({ ...s.heightOnly(firmDid), parts: [{ grant: 'g1', ...all }] })
  await deliverAll(s.lab, [s.firm])
  await s.firm.delegations.delegate({ ...s.heightOnly(subDid), parts: [{ grant: 'g1' }] })
  await deliverAll(s.firm, [s.sub])
  const fieldsOf = async (one: TestParticipant) =>
    verifiedAt(s, await chainOf(one, s.id)).leaf.authorization_details[0]?.fields?.include
  assert.deepEqual(await fieldsOf(s.sub), ['height', 'birthYear'])
  await narrow(s, 'height')
  await deliverAll(s.lab, [s.firm])
  for (const id of s.firm.readSoon.splice(0)) await s.firm.held.refresh(id)
  await deliverAll(s.firm, [s.sub])
  for (const id of s.sub.readSoon.splice(0)) await s.sub.held.refresh(id)
  assert.deepEqual([await fieldsOf(s.firm), await fieldsOf(s.sub)], [['height'], ['height']])
  for (const one of [s.lab, s.firm]) {
    const [listed] = await one.delegations.list()
    assert.deepEqual([listed?.scopes?.[0]?.fields?.include, listed?.endedMs], [['height'], undefined])
    assert.ok((await one.logged()).includes('delegation-narrowed'))
  }
  const { details } = await s.sub.held.show(s.id)
  assert.deepEqual(details?.scopes?.[0]?.fields?.include, ['height'])
  await narrow(s, 'height', 'birthYear')
  await deliverAll(s.lab, [s.firm])
  assert.deepEqual(await fieldsOf(s.firm), ['height'])
})

test('a delegate that asks before the delegator has read the narrowed consent gets no more than is left', async () => {
  await using s = await scene()
  await s.lab.delegations.delegate(s.heightOnly(firmDid))
  await deliverAll(s.lab, [s.firm])
  const [grant] = testGrants({ allow: 'any', maxDepth: 3 })
  assert.ok(grant)
  s.network.holder.grant(s.id, [{ ...grant, fields: { include: ['birthYear'] } }], subject)
  s.lab.parts.keeper.drop(s.id)
  await assert.rejects(chainOf(s.firm, s.id), refused('consent-inactive'))
  assert.equal((await s.firm.held.show(s.id)).held.state, 'revoked')
  assert.deepEqual(summaries(await s.lab.told()).length, 2)
})

test('of several parts those stay that the narrowed consent still covers', async () => {
  const deny: ConsentScope = { ...scopeNamed('no'), effect: 'deny', purposes: [marketing] }
  const giver = (...scopes: ConsentScope[]) => ({
    authorization_details: [...scopes, deny],
    del_depth: 0,
    sub: subject,
  })
  const parts = [{ grant: 'a' }, { grant: 'b', fields: { include: ['weight'] } }]
  const scopes = [takePart({ grant: 'a' }, scopeNamed('a')), takePart(parts[1] as never, scopeNamed('b'))]
  const names = (given: ReturnType<typeof giver>) =>
    decideLeft({ scopes, parts }, firmDid, given)?.map(({ grant }) => grant)
  assert.deepEqual(names(giver(scopeNamed('a'), scopeNamed('b'))), ['a', 'b'])
  assert.deepEqual(names(giver(scopeNamed('b'))), ['b'])
  assert.deepEqual(names(giver(scopeNamed('a'), { ...scopeNamed('b'), fields: { include: ['height'] } })), ['a'])
  assert.equal(names(giver({ ...scopeNamed('b'), fields: { include: ['height'] } })), undefined)
  assert.equal(names(giver({ ...scopeNamed('a'), onward: { allow: 'none' } })), undefined)
  assert.equal(names(giver()), undefined)
})
