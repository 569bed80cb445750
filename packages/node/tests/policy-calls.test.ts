/** The holder's policies between real nodes: what they deny, what they leave, and how it is written down. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parseReceipt } from '@comity/core/exchange/receipt'
import {
  call,
  codeOf,
  giveConsent,
  jsonOf,
  startPersonalNetwork,
  tokenFor,
  type PersonalNetwork,
} from './personal-network.ts'
import { athleteReference } from './personal-upstream.ts'
import { eventOf, putPolicies } from './policy-network.ts'
import type { Answer } from './signed-call.ts'

let network: PersonalNetwork
let authorization: string
before(async () => {
  network = await startPersonalNetwork()
  const consent = await giveConsent(network, {
    grants: [{ domains: ['identity', 'sport.body'], actions: ['read', 'write'] }],
  })
  authorization = await tokenFor(network, consent)
})
after(() => network[Symbol.asyncDispose]())

const ask = (headers: Record<string, string> = {}): Promise<Answer> => call(network, { authorization, headers })
const header = (answer: Answer, name: string): string => answer.headers.get(name) ?? ''

test('without policies agreement and consent decide alone', async () => {
  const answer = await ask()
  assert.equal(codeOf(answer), '200')
  assert.deepEqual(Object.keys(jsonOf(answer)).toSorted(), ['born', 'height', 'name', 'weight'])
  assert.equal(parseReceipt(header(answer, 'comity-receipt')).claims.pol, undefined)
  assert.equal((await eventOf(network.holder, header(answer, 'comity-exchange')))['policies'], undefined)
})

test('a mask narrows what the consent gives, and changes values', async () => {
  const { version } = await putPolicies(
    network.holder,
    `@id("body-and-year") @fields("born, height") @transforms("born: year")
     permit (principal, action == Comity::Action::"read", resource);`,
  )
  const answer = await ask()
  assert.deepEqual(jsonOf(answer), { height: 181, born: '1999' })
  assert.equal(header(answer, 'comity-fields-withheld'), '"name", "weight", "note"')
  const { claims } = parseReceipt(header(answer, 'comity-receipt'))
  assert.deepEqual(
    [claims.pol, claims.rel, claims.wit],
    [['body-and-year'], ['born', 'height'], ['name', 'weight', 'note']],
  )
  const event = await eventOf(network.holder, claims.jti)
  assert.deepEqual([event['policies'], event['policyVersion']], [['body-and-year'], version])
})

test('who acts is the signed word of the participant: an unknown service is refused, a known one is not', async () => {
  await putPolicies(
    network.holder,
    `@id("billing") permit (principal == Comity::Service::"${network.recipient.did}/billing", action, resource);`,
  )
  assert.equal(codeOf(await ask()), 'policy-denied')
  assert.equal(codeOf(await ask({ 'comity-actor': '"other";type=service' })), 'policy-denied')
  assert.equal(codeOf(await ask({ 'comity-actor': '"billing";type=human' })), 'policy-denied')
  assert.equal(codeOf(await ask({ 'comity-actor': '"billing";type=service' })), '200')
  assert.equal(codeOf(await ask({ 'comity-actor': 'billing' })), 'malformed-request')
})

test('a denial says nothing but what its author wrote, is in the log, and counts no use', async () => {
  await putPolicies(
    network.holder,
    `@id("all") permit (principal, action, resource);
     @id("closed") @advice("ask the federation for a research pass") forbid (principal, action, resource);`,
  )
  const called = network.api.called.length
  const answer = await ask()
  assert.equal(answer.status, 403)
  const { code, detail, advice } = jsonOf(answer)
  assert.deepEqual([code, advice], ['policy-denied', ['ask the federation for a research pass']])
  assert.doesNotMatch(String(detail), /closed|athlete|7360/)
  assert.equal(network.api.called.length, called)
  const event = await eventOf(network.holder, header(answer, 'comity-exchange'))
  assert.deepEqual([event['outcome'], event['problem'], event['policies']], ['denied', 'policy-denied', ['closed']])
  assert.equal(event['released'], undefined)
  const { claims } = parseReceipt(header(answer, 'comity-receipt'))
  assert.deepEqual([claims.pol, claims.rel], [['closed'], undefined])
  const uses = await network.holder.running.parts.foundation.database.all('SELECT exchange FROM consent_uses')
  assert.ok(uses.every(({ exchange }) => exchange !== claims.jti))
})

test('relations of the caller to the person decide, and are forgotten with the person', async () => {
  await putPolicies(
    network.holder,
    `@id("coach") permit (principal, action, resource) when { context.relations.contains("coach") };`,
  )
  assert.equal(codeOf(await ask()), 'policy-denied')
  const { relationships } = await network.holder.running.parts.policies.load()
  const handle = network.holder.running.parts.foundation.vault.handleOf(athleteReference)
  const coach = {
    object: { type: 'person', handle } as const,
    relation: 'coach',
    subject: { type: 'Participant', id: network.recipient.did } as const,
  }
  await relationships.add(coach)
  assert.equal(codeOf(await ask()), '200')
  await relationships.remove(coach)
  assert.equal(codeOf(await ask()), 'policy-denied')
})
