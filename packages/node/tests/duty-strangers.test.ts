/** Duties that somebody imposes who has no say over the person: they take nothing away, though they are reported done. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { dutyImposed } from '@comity/core/events/event-types'
import { signSecurityEvent } from '@comity/core/events/security-event'
import type { HeldConsentView } from '../src/admin/consent-api.ts'
import { atHolder, consented, operate, startConsentNetwork, type ConsentNetwork } from './consent-network.ts'
import { athleteReference } from './personal-upstream.ts'
import { send, signCall } from './signed-call.ts'
import type { TestNode } from './test-network.ts'

describe('a duty to erase', () => {
  let network: ConsentNetwork
  let id: string
  before(async () => {
    network = await startConsentNetwork()
    id = await consented(network)
  })
  after(() => network[Symbol.asyncDispose]())

  /** Tells `to` of a duty, as `by` would if it lied. Gives the status. */
  async function impose(by: TestNode, to: TestNode, { duty, subject }: { duty: string; subject: string }) {
    const nowMs = network.clock.now()
    const payload = { duty, kind: 'erase', consent: id, holder: by.did, subject, due: nowMs + 60_000 }
    const at = Math.floor(nowMs / 1000)
    const claims = { iss: by.did, aud: to.did, jti: duty, iat: at, toe: at, events: { [dutyImposed]: payload } }
    const body = signSecurityEvent(claims, by.running.parts.foundation.identity.assertionKey())
    const headers = [
      ['host', new URL(to.url).host],
      ['content-type', 'application/secevent+jwt'],
    ] as const
    const call = signCall(network, { path: '/events', method: 'POST', body })
    return (await send(to, { ...call, headers })).status
  }

  test('names a person by no reference of the receiver`s own', async () => {
    assert.equal(await impose(network.recipient, network.holder, { duty: 'd1', subject: athleteReference }), 400)
    assert.equal((await atHolder(network, id)).state, 'active')
  })

  test('of somebody who gave nothing of the person erases nothing, though it is reported', async () => {
    const held = () => operate<HeldConsentView>(network.recipient, `/v1/held-consents/${id}`)
    const { subject } = await held()
    assert.ok(subject)
    assert.equal(await impose(network.delegate, network.recipient, { duty: 'd2', subject }), 202)
    await operate(network.recipient, '/v1/duties/d2/report', { outcome: 'deleted' })
    assert.equal((await held()).subject, subject)
  })
})
