/** Of changes that race on what their callers saw one is made: over the admin API by `If-Match`, and within the services,
 *  where people, partners and the node itself change things too. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Problem } from '@comity/core/problems'
import type { QuotaAskView } from '../src/admin/quota-api.ts'
import type { RightsRequestView } from '../src/admin/rights-api.ts'
import { adminOf } from './admin-call.ts'
import { operate, startConsentNetwork, type ConsentNetwork } from './consent-network.ts'
import { athleteReference } from './personal-upstream.ts'
import { callReplica, replicasOfAthletes, storable } from './replica-network.ts'
import { owedAt } from './rights-person.ts'
import type { TestNode } from './test-network.ts'

const rules = [
  { name: 'daily', by: ['participant'], for: { products: ['items'] }, quota: { units: 1_000, per: 'day' } },
]
const racing = 10

type Condition = () => Promise<void>

interface Change {
  readonly method?: string
  readonly path: string
  readonly body?: object
}

/** All with the tag of what is shown. What moves by itself, as word of a partner does, is looked at once more. */
async function race(node: TestNode, shown: string, { method = 'POST', ...change }: Change): Promise<void> {
  const admin = await adminOf(node)
  for (let tries = 0; tries < 10; tries++) {
    const tag = String((await admin.call({ path: shown })).headers['etag'])
    const calls = Array.from({ length: racing }, () => admin.call({ method, ...change, headers: { 'if-match': tag } }))
    const statuses = (await Promise.all(calls)).map(({ status }) => status)
    const [made = 0, ...more] = statuses.filter((status) => status !== 412)
    if (made === 0) continue
    assert.deepEqual([made < 300, more], [true, []], statuses.join(' '))
    return
  }
  assert.fail('nothing was changed')
}

/** All with a condition that is true as long as nothing has changed. */
async function raceWithin(change: (condition: Condition) => Promise<unknown>, isAsSeen: () => Promise<boolean>) {
  const condition = async () => {
    if (!(await isAsSeen())) throw new Problem('precondition-failed', 'it was changed')
  }
  const ended = await Promise.allSettled(Array.from({ length: racing }, () => change(condition)))
  const refusals = ended.flatMap((one) => (one.status === 'rejected' ? [(one.reason as Problem).code] : []))
  assert.deepEqual(
    refusals,
    Array.from({ length: racing - 1 }, () => 'precondition-failed'),
  )
}

describe('of ten that change what they saw at the same moment, one does', () => {
  let network: ConsentNetwork
  before(async () => {
    network = await startConsentNetwork({
      configure(config, name) {
        if (name === 'recipient') config['replicas'] = structuredClone(replicasOfAthletes)
        if (name === 'holder') config['limits'] = { ...(config['limits'] as object), rules }
      },
    })
  })
  after(() => network[Symbol.asyncDispose]())

  test('to an agreement', async () => {
    const { agreements } = network.holder.running.parts.counterparts
    const [one, other] = [await network.agree(), await network.agree()]
    await race(network.holder, `/v1/agreements/${one}`, {
      path: `/v1/agreements/${one}/terminate`,
      body: { reason: 'over' },
    })
    await raceWithin(
      (condition) => agreements.terminate(other, 'over', condition),
      async () => agreements.show(other).state === 'in-force',
    )
  })

  test('to a request for a higher quota', async () => {
    const { requests } = network.holder.running.parts.quotas
    const wish = { partner: 'holder', limit: 'daily', units: 4_000, per: 'day', reason: 'a study' }
    const asked = async () => (await operate<QuotaAskView>(network.recipient, '/v1/quotas/asks', wish)).id
    const shown = `/v1/quotas/requests/${await asked()}`
    await race(network.holder, shown, { path: `${shown}/grant`, body: {} })
    await race(network.holder, shown, { path: `${shown}/withdraw`, body: {} })
    const id = await asked()
    const isIn = async (state: string | undefined) => (await requests.show(id)).decision?.state === state
    await raceWithin(
      (condition) => requests.grant(id, {}, condition),
      () => isIn(undefined),
    )
    await raceWithin(
      (condition) => requests.withdraw(id, {}, condition),
      () => isIn('granted'),
    )
  })

  test('to a consent, a replica, what is held of it, and what is owed for it', async () => {
    const { holder, recipient } = network
    const consent = await storable(network)
    const { id: replica } = await callReplica(recipient, { consent })
    const kept = `/v1/replicas/${replica}`
    await race(recipient, kept, { method: 'DELETE', path: kept })
    const { consents } = holder.running.parts.consent
    const shown = `/v1/consents/${consent}`
    await race(holder, shown, { path: `${shown}/pause`, body: {} })
    const resumption = { by: 'holder', actorId: holder.did, method: 'api' } as const
    await raceWithin(
      (condition) => consents.changeIf(consent, condition, (steps) => steps.resume(consent, resumption)),
      async () => (await consents.find(consent))?.state === 'paused',
    )
    const held = `/v1/held-consents/${consent}`
    await race(recipient, held, { path: `${held}/revoke`, body: {} })
    const duty = `/v1/duties/${(await owedAt(network, { node: recipient, kind: 'delete' })).id}`
    await race(recipient, duty, { path: `${duty}/report`, body: { outcome: 'deleted' } })
  })

  test('to a duty, within the node', async () => {
    const { recipient } = network
    const consent = await storable(network)
    await callReplica(recipient, { consent })
    await operate(recipient, `/v1/held-consents/${consent}/revoke`, {})
    const { duties } = recipient.running.parts.consent
    const { id } = await owedAt(network, { node: recipient, kind: 'delete' })
    await raceWithin(
      (condition) => duties.report(id, { outcome: 'deleted' }, condition),
      async () => (await duties.show(id)).state === 'open',
    )
  })

  test('to what a person asked about their data', async () => {
    const { rights } = network.holder.running.parts.consent
    const body = { reference: athleteReference, type: 'access' }
    const { id } = await operate<RightsRequestView>(network.holder, '/v1/rights/requests', body)
    const shown = `/v1/rights/requests/${id}`
    await race(network.holder, shown, { path: `${shown}/extend`, body: { reason: 'many' } })
    const report = { product: 'athletes', state: 'done', data: null } as const
    await raceWithin(
      (condition) => rights.report(id, report, condition),
      async () => (await rights.show(id)).tasks.every(({ state }) => state === 'open'),
    )
  })

  test('also where a person changes the consent while the operator’s change waits', async () => {
    const { holder } = network
    const consent = await storable(network)
    const { consents } = holder.running.parts.consent
    const admin = await adminOf(holder)
    const path = `/v1/consents/${consent}`
    const tag = String((await admin.call({ path })).headers['etag'])
    const { operator } = await consents.changeIf(consent, undefined, async (steps) => {
      const asked = admin.call({ method: 'POST', path: `${path}/revoke`, body: {}, headers: { 'if-match': tag } })
      await steps.pause(consent, { by: 'holder', actorId: holder.did, method: 'api' })
      return { operator: asked }
    })
    assert.equal((await operator).status, 412)
    assert.equal((await consents.find(consent))?.state, 'paused')
  })
})
