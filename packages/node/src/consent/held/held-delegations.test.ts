import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consentChanged, consentDelegated, delegationEnded } from '@comity/core/events/event-types'
import { Problem } from '@comity/core/problems'
import { chainOf, firmDid, labDid, refused, scene, subDid, subject, verifiedAt } from './held-delegation-scene.ts'
import { askBody, deliver, deliverAll, holderDid, testGrants } from './held-test-network.ts'

test('a delegate is told, and calls with a chain that the holder verifies and that allows less', async () => {
  await using s = await scene()
  const delegation = await s.lab.delegations.delegate(s.heightOnly(firmDid))
  const told = await s.lab.told()
  assert.deepEqual(
    told.map(({ recipient, type }) => [recipient, type]),
    [
      [firmDid, consentDelegated],
      [holderDid, consentDelegated],
    ],
  )
  await deliver(s.firm, { issuer: labDid, ...told[0] } as never)
  const { held, details } = await s.firm.held.show(s.id)
  assert.deepEqual([held.id, held.source, held.holder, held.state], [delegation.id, labDid, holderDid, 'active'])
  assert.equal(details?.subject, subject)
  const { leaf, children, root } = verifiedAt(s, await chainOf(s.firm, s.id))
  assert.deepEqual([children.length, root.client_id, leaf.client_id], [1, labDid, firmDid])
  assert.deepEqual(leaf.authorization_details[0]?.fields, { include: ['height'] })
  assert.equal(leaf.consent.delegation, delegation.id)
})

test('chains of two and three links are renewed by who gave them, at every link', async () => {
  await using s = await scene()
  await s.lab.delegations.delegate(s.heightOnly(firmDid, { onward: { allow: 'any', maxDepth: 3 } }))
  await deliverAll(s.lab, [s.firm])
  await s.firm.delegations.delegate({ ...s.heightOnly(subDid), consent: s.id })
  await deliverAll(s.firm, [s.sub])
  const first = verifiedAt(s, await chainOf(s.sub, s.id))
  assert.deepEqual([first.children.length, first.leaf.client_id], [2, subDid])
  s.network.clock.nowMs += 301_000
  const second = verifiedAt(s, await chainOf(s.sub, s.id))
  assert.ok(second.leaf.exp > first.leaf.exp)
})

test('what is wider, for others or deeper than allowed is refused before anything is told', async () => {
  await using s = await scene({ allow: 'listed', recipients: [firmDid] })
  const refusedAs = (order: Parameters<typeof s.lab.delegations.delegate>[0]) =>
    assert.rejects(s.lab.delegations.delegate(order), refused('delegation-refused'))
  await refusedAs(s.heightOnly(firmDid, { fields: { include: ['height', 'weight'] } }))
  await refusedAs(s.heightOnly(firmDid, { actions: ['read', 'write'] }))
  await refusedAs(s.heightOnly(firmDid, { grant: 'g2' }))
  await refusedAs(s.heightOnly(firmDid, { surprise: 1 }))
  await refusedAs({ ...s.heightOnly(firmDid), parts: [] })
  await refusedAs(s.heightOnly(subDid))
  await refusedAs({ ...s.heightOnly(firmDid), untilMs: s.network.clock.nowMs - 1 })
  assert.deepEqual(await s.lab.told(), [])
  await s.lab.delegations.delegate(s.heightOnly(firmDid))
  await deliverAll(s.lab, [s.firm])
  await assert.rejects(s.firm.delegations.delegate(s.heightOnly(subDid)), refused('delegation-refused'))
})

test('without a word about passing on nothing is passed on', async () => {
  await using s = await scene(undefined)
  const { id } = await s.lab.held.ask({ partner: holderDid, request: askBody('2') })
  s.network.holder.grant(id, testGrants(), subject)
  await s.lab.held.refresh(id)
  const order = { ...s.heightOnly(firmDid), consent: id }
  await assert.rejects(s.lab.delegations.delegate(order), refused('delegation-refused'))
})

test('a participant is passed one part of a consent at a time', async () => {
  await using s = await scene()
  const { id } = await s.lab.delegations.delegate(s.heightOnly(firmDid))
  await assert.rejects(s.lab.delegations.delegate(s.heightOnly(firmDid)), refused('already-exists'))
  await s.lab.delegations.end(id)
  await s.lab.delegations.delegate(s.heightOnly(firmDid))
})

test('an ended delegation gives no token, and delegates of the delegate are told on', async () => {
  await using s = await scene()
  const { id } = await s.lab.delegations.delegate(s.heightOnly(firmDid, { onward: { allow: 'any', maxDepth: 3 } }))
  await deliverAll(s.lab, [s.firm])
  await s.firm.delegations.delegate(s.heightOnly(subDid))
  await deliverAll(s.firm, [s.sub])
  const { endedMs } = await s.lab.delegations.end(id)
  assert.equal(endedMs, s.network.clock.nowMs)
  const told = await s.lab.told()
  assert.deepEqual(
    told.map(({ recipient, type }) => [recipient, type]),
    [
      [firmDid, delegationEnded],
      [holderDid, delegationEnded],
    ],
  )
  await deliver(s.firm, { issuer: labDid, ...told[0] } as never)
  await assert.rejects(chainOf(s.firm, s.id), refused('consent-inactive'))
  await deliverAll(s.firm, [s.sub])
  assert.equal((await s.sub.held.show(s.id)).held.state, 'revoked')
  const own = (await s.firm.webhooks()).map(({ side, id: of, from, state }) => [side, of, from, state])
  assert.deepEqual(own, [
    ['delegate', id, labDid, 'active'],
    ['delegate', id, labDid, 'revoked'],
  ])
  assert.equal((await s.lab.delegations.end(id)).endedMs, endedMs)
  assert.deepEqual(await s.lab.told(), [])
})

test('a delegate that was not told yet gets no token any more all the same', async () => {
  await using s = await scene()
  const { id } = await s.lab.delegations.delegate(s.heightOnly(firmDid))
  await deliverAll(s.lab, [s.firm])
  await s.lab.delegations.end(id)
  await assert.rejects(chainOf(s.firm, s.id), refused('consent-inactive'))
  assert.equal((await s.firm.held.show(s.id)).held.state, 'revoked')
})

test('a delegation ends at its time, and its tokens do not outlive it', async () => {
  await using s = await scene()
  const untilMs = s.network.clock.nowMs + 60_000
  await s.lab.delegations.delegate({ ...s.heightOnly(firmDid), untilMs })
  await deliverAll(s.lab, [s.firm])
  assert.equal(verifiedAt(s, await chainOf(s.firm, s.id)).leaf.exp, untilMs / 1000)
  s.network.clock.nowMs += 60_000
  await assert.rejects(chainOf(s.firm, s.id), refused('consent-inactive'))
})

test('a withdrawal reaches delegates of delegates, through whoever knows them', async () => {
  await using s = await scene()
  await s.lab.delegations.delegate(s.heightOnly(firmDid, { onward: { allow: 'any', maxDepth: 3 } }))
  await deliverAll(s.lab, [s.firm])
  await s.firm.delegations.delegate(s.heightOnly(subDid))
  await deliverAll(s.firm, [s.sub])
  await chainOf(s.sub, s.id)
  s.network.holder.step(s.id, 'withdrawn')
  const payload = s.network.holder.told(s.id)
  await deliver(s.lab, { issuer: holderDid, type: consentChanged, payload })
  await deliverAll(s.lab, [s.firm, s.sub])
  await deliverAll(s.firm, [s.lab, s.sub])
  for (const one of [s.lab, s.firm, s.sub]) {
    await assert.rejects(chainOf(one, s.id), refused('consent-inactive'))
  }
  assert.deepEqual(await s.lab.parts.store.standingDelegations(s.id), [])
  // The same from the holder itself, later, is no news.
  await deliver(s.lab, { issuer: holderDid, type: consentChanged, payload })
  assert.deepEqual(await s.lab.told(), [])
})

test('a pause stops delegates too, and they go on when it ends', async () => {
  await using s = await scene()
  await s.lab.delegations.delegate(s.heightOnly(firmDid))
  await deliverAll(s.lab, [s.firm])
  const change = async () => {
    await deliver(s.lab, { issuer: holderDid, type: consentChanged, payload: s.network.holder.told(s.id) })
    await deliverAll(s.lab, [s.firm])
  }
  s.network.holder.step(s.id, 'paused')
  await change()
  await assert.rejects(
    chainOf(s.firm, s.id),
    (error) => error instanceof Problem && error.members['state'] === 'paused',
  )
  s.network.holder.step(s.id, 'resumed')
  await change()
  assert.equal(verifiedAt(s, await chainOf(s.firm, s.id)).children.length, 1)
})

test('nothing is passed on for longer than it may be had, by whoever passes it on', async () => {
  await using s = await scene()
  const endMs = s.network.clock.nowMs + 30 * 86_400_000
  const late = { ...s.heightOnly(firmDid, { onward: { allow: 'any', maxDepth: 3 } }), untilMs: endMs + 1 }
  await assert.rejects(s.lab.delegations.delegate(late), (error) => {
    assert.ok(error instanceof Problem && error.code === 'delegation-refused')
    assert.equal(error.members['ends'], '2026-03-31T10:00:00Z')
    assert.match(error.message, /until `2026-03-31T10:00:00Z` at most, when the consent ends/)
    return true
  })
  assert.deepEqual(await s.lab.told(), [])
  await s.lab.delegations.delegate({ ...late, untilMs: endMs })
  await deliverAll(s.lab, [s.firm])
  assert.equal((await s.firm.held.show(s.id)).held.expiresMs, endMs)
  const onward = { ...s.heightOnly(subDid), untilMs: endMs + 1 }
  await assert.rejects(s.firm.delegations.delegate(onward), /when the delegation to this node ends/)
  await s.firm.delegations.delegate({ ...onward, untilMs: endMs })
})

test('a chain that was passed on by another, to another or of another consent is not taken', async () => {
  await using s = await scene()
  await s.lab.delegations.delegate(s.heightOnly(firmDid))
  const [told] = await s.lab.told()
  assert.ok(told)
  const taken = (issuer: string, change: Record<string, unknown> = {}) =>
    deliver(s.firm, { issuer, type: consentDelegated, payload: { ...told.payload, ...change } })
  await assert.rejects(taken(subDid), refused('event-invalid'))
  await assert.rejects(taken(labDid, { consent: 'urn:uuid:other' }), refused('event-invalid'))
  await assert.rejects(taken(labDid, { delegation: 'urn:uuid:other' }), refused('event-invalid'))
  await assert.rejects(taken(labDid, { holder: subDid }), refused('event-invalid'))
  const [root = '', child = ''] = String(told.payload['token']).split('~')
  await assert.rejects(taken(labDid, { token: root }), refused('event-invalid'))
  await assert.rejects(taken(labDid, { token: `${root}~${child.slice(0, -6)}AAAAAA` }), refused('event-invalid'))
  await taken(labDid, { delegate: subDid })
  assert.deepEqual(await s.firm.held.list({}), [])
  // Late, when the chain has long expired, it still shows what was passed on.
  s.network.clock.nowMs += 3_600_000
  await taken(labDid)
  assert.equal((await s.firm.held.list({})).length, 1)
})

test('of a person who was erased nothing can be passed on', async () => {
  await using s = await scene()
  await s.lab.delegations.delegate(s.heightOnly(firmDid))
  await deliverAll(s.lab, [s.firm])
  const handle = s.lab.vault.handleOf(subject)
  await s.lab.database.execute(s.lab.vault.destroy(handle, s.network.clock.nowMs))
  await s.lab.vault.forget(handle)
  await assert.rejects(chainOf(s.firm, s.id), refused('consent-inactive'))
  assert.equal((await s.lab.delegations.list())[0]?.scopes, undefined)
})
