/** A consent's whole life over the admin API of both sides, between real nodes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { verifyTemplate } from '@comity/core/consent/consent-template'
import { verifyEventChain, verifyRecordChain } from '@comity/core/consent/parse-record'
import { parseReceipt } from '@comity/core/exchange/receipt'
import type {
  ConsentDetailsView,
  ConsentUseView,
  ConsentView,
  HeldConsentView,
  HeldTokenView,
  SubjectLinkView,
  TemplateView,
} from '../src/admin/consent-api.ts'
import { adminOf, type AdminAnswer, type AdminCaller } from './admin-call.ts'
import { freePort } from './free-port.ts'
import {
  athleteReference,
  athletesProducts,
  otherReference,
  startAthletesApi,
  type AthletesApi,
} from './personal-upstream.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

const research = 'https://w3id.org/dpv#ResearchAndDevelopment'
const template = {
  id: 'urn:example:sports-medicine',
  version: '1',
  kind: 'personal',
  title: { en: 'Sports medicine' },
  notice: { text: { en: 'May we study how sport forms the body?' } },
  grants: [
    {
      grant: 'g1',
      effect: 'permit',
      purposes: [research],
      actions: ['read'],
      products: ['athletes'],
      domains: ['sport.body'],
    },
  ],
  duration: 'P30D',
}
const session = { channel: 'https://portal.example', acr: 'urn:example:high', amr: ['otp'], authTime: 1_700_000_000 }

describe('consents over the admin API', () => {
  let network: TestNetwork
  let api: AthletesApi
  let holder: AdminCaller
  let recipient: AdminCaller
  let id: string
  let subject: string
  before(async () => {
    api = await startAthletesApi()
    const port = await freePort()
    network = await startTestNetwork({
      holder: (config, root) => {
        ;(config['products'] as object[]).push(...athletesProducts(api.url, root))
        const listen = config['listen'] as Record<string, unknown>
        listen['people'] = { url: `http://localhost:${port}`, address: '127.0.0.1', port }
      },
    })
    await network.agree({ products: ['athletes'], purposes: [research] })
    ;[holder, recipient] = [await adminOf(network.holder), await adminOf(network.recipient)]
  })
  after(async () => {
    await network[Symbol.asyncDispose]()
    await api[Symbol.asyncDispose]()
  })

  const good = <T>({ status, json, text }: AdminAnswer): T => {
    assert.ok(status < 300, text)
    return json as T
  }
  const code = ({ json }: AdminAnswer) => (json as { code?: string } | undefined)?.code
  const post = (who: AdminCaller, path: string, body: unknown = {}) => who.call({ method: 'POST', path, body })
  const get = (below: string, headers: Record<string, string> = {}) =>
    fetch(network.recipient.local(`/holder/athletes/athletes/${below}`), {
      headers: { 'comity-purpose': research, ...headers },
    })
  const read = (headers: Record<string, string> = {}) => get(subject, headers)
  const codeOf = async (answer: Response) => (await answer.json()) as { code: string; state?: string }
  const ask = (reference: string, label: string) =>
    post(recipient, '/v1/held-consents', { partner: 'holder', reference, label, template: { id: template.id } })
  const eventually = async (state: string, name = id) => {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
      const { state: now } = good<HeldConsentView>(await recipient.call({ path: `/v1/held-consents/${name}` }))
      if (now === state) return
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    assert.fail(`the consent is not ${state}`)
  }

  test('a template is signed once, and used to ask', async () => {
    const signed = good<TemplateView>(await post(recipient, '/v1/templates', template))
    const { resolver } = network.recipient.running.parts.counterparts
    await verifyTemplate(signed.jws, (keyid, atMs) => resolver.resolveKey(keyid, 'assertionMethod', atMs))
    assert.equal(code(await post(recipient, '/v1/templates', { ...template, duration: 'P60D' })), 'already-exists')
    assert.equal(good<TemplateView[]>(await recipient.call({ path: '/v1/templates' })).length, 1)
    const asked = good<HeldConsentView>(await ask(athleteReference, 'patient 7'))
    assert.deepEqual([asked.state, asked.label, asked.reference], ['requested', 'patient 7', athleteReference])
    id = asked.id
    const unknown = { partner: 'holder', reference: '1', template: { id: 'urn:example:none' } }
    assert.equal(code(await post(recipient, '/v1/held-consents', unknown)), 'template-invalid')
  })

  test('the portal decides, for a part, with what it says of the sign-in', async () => {
    const path = `/v1/consents/${id}`
    const listed = good<ConsentView[]>(
      await holder.call({ path: `/v1/consents?reference=${athleteReference}&recipient=recipient` }),
    )
    assert.deepEqual(
      listed.map((one) => [one.id, one.state, one.recipient]),
      [[id, 'requested', network.recipient.did]],
    )
    const decision = { decision: 'grant', session, lang: 'en', grants: [{ id: 'g1', fields: ['height'] }] }
    assert.equal(
      code(await post(holder, `${path}/decide`, { ...decision, grants: undefined })),
      'consent-choice-invalid',
    )
    assert.equal(code(await post(holder, `${path}/decide`, { ...decision, session: {} })), 'malformed-request')
    const wider = { ...decision, grants: [{ id: 'g1', fields: ['name'] }] }
    assert.equal(code(await post(holder, `${path}/decide`, wider)), 'consent-choice-invalid')
    const granted = good<ConsentView>(await post(holder, `${path}/decide`, decision))
    assert.equal(granted.state, 'active')
    const again = good<ConsentView>(await post(holder, `${path}/decide`, decision))
    assert.deepEqual(again, { ...granted, isUnchanged: true })
    const shown = good<ConsentDetailsView>(await holder.call({ path }))
    assert.equal(shown.reference, athleteReference)
    verifyRecordChain(shown.records)
    verifyEventChain(shown.events)
    assert.deepEqual(shown.records[0]?.proofs.find(({ type }) => type === 'session')?.value, session)
    assert.deepEqual(
      shown.events.map(({ type }) => type),
      ['requested', 'presented', 'granted'],
    )
  })

  test('the recipient is told at once, and its application reads by the pairwise id', async () => {
    await eventually('active')
    const held = good<HeldConsentView>(await post(recipient, `/v1/held-consents/${id}/refresh`))
    subject = held.subject ?? ''
    assert.deepEqual([held.label, held.record?.id], ['patient 7', id])
    const answer = await read()
    assert.equal(answer.status, 200)
    assert.deepEqual(await answer.json(), { height: 181 })
    const { claims } = good<HeldTokenView>(await post(recipient, `/v1/held-consents/${id}/token`))
    assert.deepEqual([claims.length, claims[0]?.sub], [1, subject])
    const uses = good<ConsentUseView[]>(await holder.call({ path: `/v1/consents/${id}/uses` }))
    assert.deepEqual(
      uses.map(({ caller, released }) => [caller, released]),
      [[network.recipient.did, ['height']]],
    )
  })

  test('the local credential of an application never leaves its node', async () => {
    const seen = network.recipient.running.parts.foundation.database
    const answer = await read({ authorization: 'Bearer of-the-application' })
    assert.equal(answer.status, 200)
    const { vault } = network.recipient.running.parts.foundation
    const row = await seen.get('SELECT request_base FROM exchanges WHERE id = ?', [
      answer.headers.get('comity-exchange') ?? '',
    ])
    const base = await vault.unseal(String(row?.['request_base']))
    assert.match(base ?? '', /"authorization": Comity eyJ/)
    assert.doesNotMatch(base ?? '', /of-the-application/)
  })

  test('a narrower decision counts with the next call, whose token is renewed on the way', async () => {
    // What is in memory at the recipient is a token of the first revision.
    const { keeper } = network.recipient.running.parts.consent.held
    const drop = keeper.drop
    keeper.drop = () => undefined
    const expires = new Date(network.clock.now() + 3 * 86_400_000).toISOString()
    const decision = { decision: 'grant', session, lang: 'en', expires, grants: [{ id: 'g1', fields: ['height'] }] }
    const amended = good<ConsentView>(await post(holder, `/v1/consents/${id}/decide`, decision))
    assert.equal(amended.rev, 2)
    const answer = await read()
    keeper.drop = drop
    assert.equal(answer.status, 200)
    assert.equal(parseReceipt(answer.headers.get('comity-receipt') ?? '').claims.con?.rev, 2)
    const refusals = (await network.holder.running.parts.auditLog.readEvents({ limit: 1_000 })).filter(({ body }) =>
      body?.includes('consent-superseded'),
    )
    assert.equal(refusals.length, 1)
  })

  test('paused, the next call is refused with the state; resumed, it goes on', async () => {
    const unreadable = await post(holder, `/v1/consents/${id}/pause`, { reason: 'a\u0000b' })
    assert.deepEqual([unreadable.status, (unreadable.json as { code: string }).code], [422, 'consent-record-invalid'])
    assert.equal(
      good<ConsentView>(await post(holder, `/v1/consents/${id}/pause`, { reason: 'a check' })).state,
      'paused',
    )
    const refused = await codeOf(await read())
    assert.deepEqual([refused.code, refused.state], ['consent-inactive', 'paused'])
    await eventually('paused')
    assert.equal(code(await post(holder, `/v1/consents/${id}/resume`, { by: 'subject' })), 'consent-state')
    assert.equal(good<ConsentView>(await post(holder, `/v1/consents/${id}/resume`)).state, 'active')
    await eventually('active')
    assert.equal((await read()).status, 200)
  })

  test('a call that names several people, or nobody who consented, is refused before it leaves', async () => {
    const called = api.called.length
    const other = `ps_${'A'.repeat(43)}`
    const two = await get(`${subject}?with=${other}`)
    assert.equal((await codeOf(two)).code, 'malformed-request')
    const nobody = await get(other)
    assert.equal((await codeOf(nobody)).code, 'consent-unknown')
    assert.equal(api.called.length, called)
  })

  test('a record leaves in every vocabulary', async () => {
    const exported = async (as: string) =>
      good<Record<string, unknown>>(await holder.call({ path: `/v1/consents/${id}/export?as=${as}` }))
    assert.equal((await exported('fhir'))['resourceType'], 'Consent')
    assert.match(JSON.stringify(await exported('27560')), /dpv-27560/)
    assert.match(JSON.stringify(await exported('odrl')), /permission/)
    assert.deepEqual(Object.keys(await exported('json')), ['records', 'events'])
    assert.equal(code(await holder.call({ path: `/v1/consents/${id}/export?as=pdf` })), 'malformed-request')
  })

  test('withdrawn, the next call is refused and nothing brings the consent back', async () => {
    assert.equal(
      good<ConsentView>(await post(holder, `/v1/consents/${id}/withdraw`, { by: 'subject' })).state,
      'withdrawn',
    )
    const refused = await codeOf(await read())
    assert.equal(refused.code, 'consent-inactive')
    await eventually('withdrawn')
    assert.equal((await codeOf(await read())).state, 'withdrawn')
    for (const step of ['pause', 'resume', 'revoke', 'withdraw']) {
      assert.equal(code(await post(holder, `/v1/consents/${id}/${step}`)), 'consent-state', step)
    }
  })

  test('a link to a person’s consents says nothing of whether there is such a person', async () => {
    for (const reference of [athleteReference, 'nobody']) {
      const { url, expires } = good<SubjectLinkView>(await post(holder, '/v1/subjects/link', { reference }))
      assert.match(url, /^http:\/\/localhost:\d+\/c\/[\w-]+$/)
      assert.ok(Date.parse(expires) > network.clock.now())
    }
    const logged = await network.holder.running.parts.auditLog.readEvents({ limit: 1_000 })
    const links = logged.filter(({ body }) => body?.includes('"action":"subject-link"'))
    assert.equal(links.length, 2)
    assert.ok(links.every(({ body }) => !body?.includes(athleteReference) && !body?.includes('nobody')))
    assert.equal(code(await post(recipient, '/v1/subjects/link', { reference: athleteReference })), 'not-found')
  })

  test('erasing a person ends their consents and leaves no word of them', async () => {
    const asked = good<HeldConsentView>(await ask(otherReference, 'patient 8'))
    const decision = { decision: 'grant', session, lang: 'en', grants: [{ id: 'g1' }] }
    good(await post(holder, `/v1/consents/${asked.id}/decide`, decision))
    await eventually('active', asked.id)
    good(await post(recipient, `/v1/held-consents/${asked.id}/refresh`))
    assert.deepEqual(good(await post(holder, '/v1/subjects/erase', { reference: otherReference })), {
      ended: 1,
      forgotten: 0,
    })
    await eventually('revoked', asked.id)
    const shown = good<ConsentDetailsView>(await holder.call({ path: `/v1/consents/${asked.id}` }))
    assert.deepEqual(
      [shown.state, shown.reference, shown.request, shown.records],
      ['revoked', undefined, undefined, []],
    )
    const held = good<HeldConsentView>(await recipient.call({ path: `/v1/held-consents/${asked.id}` }))
    const gone = good(await post(recipient, '/v1/subjects/erase', { reference: held.subject }))
    assert.deepEqual(gone, { ended: 0, forgotten: 1 })
    const afterwards = good<HeldConsentView>(await recipient.call({ path: `/v1/held-consents/${asked.id}` }))
    assert.deepEqual([afterwards.label, afterwards.subject, afterwards.record], [undefined, undefined, undefined])
    assert.deepEqual(good(await post(holder, '/v1/subjects/erase', { reference: 'nobody' })), {
      ended: 0,
      forgotten: 0,
    })
  })

  test('a reset ends the links that a person was sent', async () => {
    const sent = async () =>
      good<SubjectLinkView>(await post(holder, '/v1/subjects/link', { reference: athleteReference })).url
    const [first, second] = [await sent(), await sent()]
    assert.equal((await fetch(first)).status, 200)
    assert.deepEqual(good(await post(holder, '/v1/subjects/reset', { reference: athleteReference })), { reset: true })
    assert.deepEqual([(await fetch(first)).status, (await fetch(second)).status], [404, 404])
    assert.equal((await fetch(await sent())).status, 200)
    assert.equal(code(await post(recipient, '/v1/subjects/reset', { reference: athleteReference })), 'not-found')
  })

  test('who was erased is asked again only after the operator has said that they came back', async () => {
    const decision = { decision: 'grant', session, lang: 'en', grants: [{ id: 'g1' }] }
    const unheard = good<HeldConsentView>(await ask(otherReference, 'patient 8'))
    assert.equal(code(await post(holder, `/v1/consents/${unheard.id}/decide`, decision)), 'subject-erased')
    network.clock.offsetMs += 31 * 86_400_000
    for (const reference of [otherReference, 'never heard of']) {
      assert.deepEqual(good(await post(holder, '/v1/subjects/readmit', { reference })), { readmitted: true })
    }
    const asked = good<HeldConsentView>(await ask(otherReference, 'patient 8'))
    assert.equal(good<ConsentView>(await post(holder, `/v1/consents/${asked.id}/decide`, decision)).state, 'active')
    const kept = good<ConsentDetailsView>(await holder.call({ path: `/v1/consents/${unheard.id}` }))
    assert.equal(kept.reference, undefined)
  })

  test('what is not there, and what nobody may do, is refused with its own code', async () => {
    const none = 'urn:uuid:019cab00-0000-7000-8000-000000000000'
    for (const path of [`/v1/consents/${none}`, `/v1/held-consents/${none}`]) {
      assert.equal(code(await holder.call({ path })), 'consent-unknown', path)
    }
    assert.equal(code(await post(holder, `/v1/consents/${none}/withdraw`)), 'consent-unknown')
    const misplaced = await post(recipient, `/v1/consents/${id}/pause`)
    assert.deepEqual([code(misplaced), misplaced.status], ['consent-unknown', 404])
    assert.match(misplaced.text, /holds as a recipient it can only give up/)
    assert.equal(code(await post(holder, `/v1/consents/${id}/revoke`, { by: 'subject' })), 'malformed-request')
    assert.equal(code(await post(holder, `/v1/delegations/${none}/end`)), 'consent-unknown')
    const order = { delegate: 'holder', until: '2030-01-01T00:00:00Z', grants: [{ grant: 'g1' }] }
    assert.equal(code(await post(recipient, `/v1/held-consents/${id}/delegate`, order)), 'consent-inactive')
    assert.equal(code(await post(holder, '/v1/subjects/erase', {})), 'malformed-request')
  })
})
