/** Every change over the admin API stands in the audit log. The story calls each route that changes something; a route
 *  that it does not know fails the test. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { RightsRequestView } from '../src/admin/rights-api.ts'
import { declaredRoutes } from './admin-answers.ts'
import { adminOf } from './admin-call.ts'
import { ask, operate, startConsentNetwork, untilHeld, type ConsentNetwork } from './consent-network.ts'
import { athleteReference, otherReference } from './personal-upstream.ts'
import { callReplica, replicasOfAthletes, storable } from './replica-network.ts'
import { owedAt, untilClosed } from './rights-person.ts'
import type { TestNode } from './test-network.ts'
import { testOpenApi } from './test-upstream.ts'

const template = {
  id: 'urn:example:changes',
  version: '1',
  kind: 'personal',
  title: { en: 'Sports' },
  notice: { text: { en: 'May we?' } },
  grants: [
    {
      grant: 'g1',
      effect: 'permit',
      purposes: ['https://w3id.org/dpv#ResearchAndDevelopment'],
      actions: ['read'],
      products: ['athletes'],
      domains: ['sport.body'],
    },
  ],
  duration: 'P30D',
}
const texts = [{ source: 'all', text: '@id("all") permit(principal, action, resource);' }]
const relationship = {
  object: { group: 'coaches' },
  relation: 'member',
  subject: { type: 'Human', id: 'did:web:clinic.example/human-17' },
}

interface Answer {
  readonly id?: string
  readonly rotation?: { readonly id: string }
}

interface Sent {
  /** In place of what stands in braces. */
  readonly name?: string | undefined
  /** Of a path with several. */
  readonly names?: readonly string[]
  readonly body?: unknown
  /** Why no hash stands in the log. */
  readonly bare?: string
}

const followsHolder = 'asks the holder; what has changed there is written down when it is heard, by the holder’s hash'
const makesLink = 'a link is made; nothing that was there is another'
const changesNothing = 'a test message changes nothing'
const ofPerson = 'what is kept of a person is not hashed: the handle is all that the log may tell'

const directory = mkdtempSync(join(tmpdir(), 'comity-policies-'))
after(() => rmSync(directory, { recursive: true }))

function startNetwork(): Promise<ConsentNetwork> {
  return startConsentNetwork({
    configure: (config, name) => {
      if (name === 'recipient') config['replicas'] = structuredClone(replicasOfAthletes)
      const rules = [{ name: 'daily', by: ['participant'], quota: { units: 1_000_000, per: 'day' } }]
      if (name === 'holder') config['limits'] = { ...(config['limits'] as object), rules }
      if (name === 'delegate') config['policy'] = { directory, engine: 'cedar', keepDecisions: 10 }
    },
  })
}

describe('a change over the admin API', () => {
  let network: ConsentNetwork
  before(async () => {
    network = await startNetwork()
  })
  after(() => network[Symbol.asyncDispose]())

  const walked = new Set<string>()
  const eventsOf = async (node: TestNode) => node.running.parts.auditLog.readEvents({ limit: 10_000 })

  /** Calls `POST /v1/things/{id}`, and looks what it left in the log. */
  async function step(
    node: TestNode,
    route: string,
    { name = '', names = [name], body = {}, bare }: Sent = {},
  ): Promise<Answer> {
    walked.add(route)
    const given = names.values()
    const [method = '', path = ''] = route
      .replaceAll(/\{\w+\}/g, () => encodeURIComponent(given.next().value ?? ''))
      .split(' ')
    const admin = await adminOf(node)
    const earlier = (await eventsOf(node)).length
    const answer = await admin.call({ method, path, ...(method !== 'DELETE' && { body }) })
    assert.ok(answer.status < 300, `${route}: ${answer.text}`)
    const left = (await eventsOf(node)).slice(earlier).map((event) => event.body ?? '')
    const tells = left.some((text) => /"(?:before|after|hash|prev)":"[A-Za-z0-9_-]{43}"/.test(text))
    assert.ok(tells || bare !== undefined, `${route} left ${left.length} events: ${left.join(' ')}`)
    assert.ok(left.length > 0 || bare === followsHolder, `${route} left nothing`)
    return (answer.json ?? {}) as Answer
  }

  test('of partners, products and keys is in the log with hashes', async () => {
    const { holder } = network
    await step(holder, 'POST /v1/partners', { body: { alias: 'third', did: 'did:web:third.example' } })
    await step(holder, 'DELETE /v1/partners/{alias}', { name: 'third' })
    const document = JSON.stringify(testOpenApi)
    const product = {
      id: 'later',
      title: 'Later',
      version: '1',
      class: 'public',
      upstream: network.upstream.url,
      document,
    }
    await step(holder, 'POST /v1/products', { body: product })
    const life = { deprecated: '2026-11-01T00:00:00Z' }
    await step(holder, 'POST /v1/products/{id}', { name: 'later', body: life })
    await step(holder, 'DELETE /v1/products/{id}', { name: 'later' })
    const rotation = { purposes: ['authentication'], publishForMs: 600_000, overlapMs: 600_000 }
    await step(holder, 'POST /v1/keys/rotate', { body: rotation })
  })

  test('of agreements and policies is in the log with hashes', async () => {
    const { holder, recipient, delegate } = network
    const draft = { partner: 'recipient', role: 'holder', products: ['items'] }
    const drafted = await operate(holder, '/v1/agreements/draft', draft)
    const once = await step(holder, 'POST /v1/agreements/sign', { body: drafted })
    const twice = await step(recipient, 'POST /v1/agreements/sign', { body: once })
    const { id: name } = await step(holder, 'POST /v1/agreements', { body: twice })
    await step(holder, 'POST /v1/agreements/{id}/terminate', { name, body: { reason: 'it is over' } })
    await step(holder, 'POST /v1/policies', { body: { texts } })
    writeFileSync(join(directory, 'all.cedar'), texts[0]?.text ?? '')
    await step(delegate, 'POST /v1/policies/reload')
    await step(holder, 'POST /v1/relationships', { body: relationship })
    await step(holder, 'POST /v1/relationships/remove', { body: relationship })
    const bare = 'what is sent again is not another; how many is told'
    await step(holder, 'POST /v1/webhooks/replay', { bare })
    const body = { endpoint: network.systems.holder.url }
    await step(holder, 'POST /v1/webhooks/test', { body, bare: changesNothing })
  })

  test('of consents is in the log with hashes', async () => {
    const { holder, recipient } = network
    await step(recipient, 'POST /v1/templates', { body: template })
    const { id: replicated } = await callReplica(recipient, { consent: await storable(network) })
    await step(recipient, 'DELETE /v1/replicas/{id}', { name: replicated })
    const { id: name } = await ask(network, { reference: otherReference })
    const decision = {
      decision: 'grant',
      session: { channel: 'https://portal.example' },
      lang: 'en',
      grants: [{ id: 'g1' }],
    }
    await step(holder, 'POST /v1/consents/{id}/link', { name, bare: makesLink })
    await step(holder, 'POST /v1/consents/{id}/decide', { name, body: decision })
    await untilHeld(recipient, name, 'active')
    await step(recipient, 'POST /v1/held-consents/{id}/token', { name, bare: followsHolder })
    await step(recipient, 'POST /v1/held-consents/{id}/refresh', { name, bare: followsHolder })
    const order = {
      delegate: 'delegate',
      until: new Date(network.clock.now() + 86_400_000).toISOString(),
      grants: [{ grant: 'g1' }],
    }
    const bare = 'the token that is passed on, or no more, is made of the consent whose hash is in the log'
    const { id: delegation } = await step(recipient, 'POST /v1/held-consents/{id}/delegate', {
      name,
      body: order,
      bare,
    })
    await step(recipient, 'POST /v1/delegations/{id}/end', { name: delegation, bare })
    for (const change of ['pause', 'resume', 'withdraw'])
      await step(holder, `POST /v1/consents/{id}/${change}`, { name })
    const { id: second } = await ask(network, { reference: otherReference })
    await step(holder, 'POST /v1/consents/{id}/decide', { name: second, body: decision })
    await step(holder, 'POST /v1/consents/{id}/revoke', { name: second })
    const { id: third } = await ask(network, { reference: otherReference })
    await step(holder, 'POST /v1/consents/{id}/decide', { name: third, body: decision })
    await untilHeld(recipient, third, 'active')
    await step(recipient, 'POST /v1/held-consents/{id}/revoke', { name: third })
    walked.add('POST /v1/held-consents')
  })

  test('of people, their rights and duties is in the log', async () => {
    const { holder, recipient } = network
    const person = { reference: athleteReference }
    await step(holder, 'POST /v1/subjects/link', { body: person, bare: ofPerson })
    await step(holder, 'POST /v1/subjects/reset', { body: person, bare: ofPerson })
    const asked = { ...person, type: 'restrict' }
    const { id: name = '' } = await step(holder, 'POST /v1/rights/requests', { body: asked, bare: ofPerson })
    const reason = 'it takes longer'
    await step(holder, 'POST /v1/rights/requests/{id}/extend', { name, body: { reason }, bare: ofPerson })
    const { stores } = await operate<RightsRequestView>(holder, `/v1/rights/requests/${name}`)
    for (const { product } of stores) {
      const body = { product, state: 'done' }
      await step(holder, 'POST /v1/rights/requests/{id}/report', { name, body, bare: ofPerson })
    }
    const duty = await owedAt(network, { node: recipient, kind: 'restrict', request: name })
    await step(recipient, 'POST /v1/duties/{id}/report', {
      name: duty.id,
      body: { outcome: 'restricted' },
      bare: ofPerson,
    })
    await untilClosed(network, name)
    await step(holder, 'POST /v1/rights/requests/{id}/lift', { name, bare: ofPerson })
    await step(holder, 'POST /v1/subjects/erase', { body: person, bare: ofPerson })
    await step(holder, 'POST /v1/subjects/readmit', { body: person, bare: ofPerson })
  })

  test('of clients and API keys is in the log with hashes', async () => {
    const { holder } = network
    const { id: client } = await step(holder, 'POST /v1/clients', { body: { id: 'portal', kind: 'application' } })
    await step(holder, 'PATCH /v1/clients/{id}', { name: client, body: { name: 'The portal' } })
    const issue = () => step(holder, 'POST /v1/clients/{id}/keys', { name: client })
    const rotate = async ({ id }: Answer, body = {}) => {
      const begun = await step(holder, 'POST /v1/api-keys/{id}/rotate', { name: id, body })
      return { name: begun.rotation?.id }
    }
    const first = await issue()
    await step(holder, 'PATCH /v1/api-keys/{id}', { name: first.id, body: { labels: { room: '1' } } })
    await step(holder, 'POST /v1/api-keys/{id}/disable', { name: first.id })
    await step(holder, 'POST /v1/api-keys/{id}/enable', { name: first.id })
    const moved = await rotate(first, { startsAt: new Date(network.clock.now() + 60_000).toISOString() })
    await step(holder, 'POST /v1/rotations/{id}/start', moved)
    await step(holder, 'POST /v1/rotations/{id}/drain', moved)
    await step(holder, 'POST /v1/rotations/{id}/complete', moved)
    const second = await issue()
    const undone = await rotate(second)
    await step(holder, 'POST /v1/rotations/{id}/successor', undone)
    await step(holder, 'POST /v1/rotations/{id}/roll-back', undone)
    await step(holder, 'POST /v1/api-keys/{id}/revoke', { name: second.id })
    const hook = { url: 'https://127.0.0.1:1/hook', events: ['key.expiring'] }
    const { id: webhook } = await step(holder, 'POST /v1/clients/{id}/webhooks', { name: client, body: hook })
    const names = [client, webhook] as string[]
    await step(holder, 'POST /v1/clients/{id}/webhooks/{webhook}/test', { names, bare: changesNothing })
    await step(holder, 'POST /v1/clients/{id}/webhooks/{webhook}/secret', { names })
    await step(holder, 'DELETE /v1/clients/{id}/webhooks/{webhook}', { names })
    await step(holder, 'DELETE /v1/clients/{id}', { name: client })
  })

  test('of quotas is in the log with hashes, on both sides', async () => {
    const { holder, recipient } = network
    const body = { partner: 'holder', limit: 'daily', units: 2_000_000, per: 'day', reason: 'a study' }
    const { id: first } = await step(recipient, 'POST /v1/quotas/asks', { body })
    await step(holder, 'POST /v1/quotas/requests/{id}/grant', { name: first })
    await step(holder, 'POST /v1/quotas/requests/{id}/withdraw', { name: first })
    const { id: second } = await step(recipient, 'POST /v1/quotas/asks', { body: { ...body, units: 3_000_000 } })
    await step(holder, 'POST /v1/quotas/requests/{id}/refuse', { name: second })
    const names = ['daily', `participant=${recipient.did}`]
    await step(holder, 'DELETE /v1/quotas/counts/{limit}/{of}', { names })
  })

  test('is walked through whatever the route', () => {
    const changing = declaredRoutes.filter(({ method, reads }) => method !== 'GET' && reads !== true)
    assert.deepEqual(
      changing.map(({ method, path }) => `${method} ${path}`).filter((route) => !walked.has(route)),
      [],
    )
  })
})
