/** Whatever a partner's node answers when the operator's call has to ask it, the admin API answers what it declares. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { signAgreement } from '@comity/core/agreement/agreement-signature'
import { problemKinds } from '@comity/core/problems'
import type { HeldTokenView } from '../src/admin/consent-api.ts'
import type { QuotaAskView } from '../src/admin/quota-api.ts'
import { adminOf, type AdminAnswer, type AdminCaller } from './admin-call.ts'
import { declaredRoutes } from './admin-answers.ts'
import { consented, grantOf, operate, plainNotice, startConsentNetwork } from './consent-network.ts'
import type { ConsentNetwork } from './consent-network.ts'
import { startLyingHolder, type LyingHolder } from './lying-holder.ts'
import { athleteReference } from './personal-upstream.ts'

const wish = { partner: 'holder', limit: 'daily', units: 10, per: 'day', reason: 'a study' }
const rules = [{ name: 'daily', by: ['participant'], quota: { units: 2, per: 'day' } }]

describe('whatever a partner answers, the admin API answers what it declares to', () => {
  let network: ConsentNetwork
  let admin: AdminCaller
  let liar: LyingHolder
  /** What the holder said while it was honest. */
  let honest: { readonly shown: object; readonly token: string }
  /** Route -> a call of it that makes this node ask the partner. */
  let calls: Readonly<Record<string, { readonly path: string; readonly body?: unknown }>>

  before(async () => {
    network = await startConsentNetwork({
      configure: (config) => Object.assign(config['limits'] as object, { rules }),
    })
    const { recipient, holder, clock } = network
    const consent = await consented(network)
    const { id: asked } = await operate<QuotaAskView>(recipient, '/v1/quotas/asks', wish)
    const { token } = await operate<HeldTokenView>(recipient, `/v1/held-consents/${consent}/token`, {})
    const shown = await holder.running.parts.consent.consents.showTo(consent, recipient.did)
    assert.ok(shown)
    honest = { shown, token }
    const { agreements } = holder.running.parts.counterparts
    const draft = agreements.draft({ assigner: holder.did, assignee: recipient.did, products: ['results'] })
    const assertion = recipient.running.parts.foundation.identity.assertionKey()
    const envelope = signAgreement(await agreements.sign(draft), assertion, clock.now())
    const held = `/v1/held-consents/${consent}`
    const request = { partner: 'holder', reference: athleteReference, notice: plainNotice, duration: 'P30D' }
    const until = new Date(clock.now() + 7 * 86_400_000).toISOString()
    calls = {
      'POST /v1/held-consents': { path: '/v1/held-consents', body: { ...request, grants: [grantOf({})] } },
      'POST /v1/held-consents/{id}/refresh': { path: `${held}/refresh`, body: {} },
      'POST /v1/held-consents/{id}/token': { path: `${held}/token`, body: {} },
      'POST /v1/held-consents/{id}/revoke': { path: `${held}/revoke`, body: {} },
      'POST /v1/held-consents/{id}/delegate': {
        path: `${held}/delegate`,
        body: { delegate: 'delegate', until, grants: [{ grant: 'g1', fields: { include: ['height'] } }] },
      },
      'POST /v1/agreements': { path: '/v1/agreements', body: envelope },
      'GET /v1/quotas/asks/{id}': { path: `/v1/quotas/asks/${asked}` },
      'POST /v1/quotas/asks': { path: '/v1/quotas/asks', body: wish },
    }
    liar = await startLyingHolder(network, '')
    // The token at hand has run out, and what was resolved is asked for again.
    clock.offsetMs += 3_600_000
    admin = await adminOf(recipient)
  })
  after(async () => {
    await liar[Symbol.asyncDispose]()
    await network[Symbol.asyncDispose]()
  })

  const send = (response: ServerResponse, status: number, [body, type = 'application/json']: readonly string[]) =>
    void response.writeHead(status, { 'content-type': type }).end(body)

  /** Answers with a code that is declared, or the test fails in `adminOf`. */
  async function told(name: string): Promise<AdminAnswer> {
    const call = calls[name]
    assert.ok(call, `no call of ${name} is known here`)
    return admin.call({ method: name.split(' ')[0] ?? '', ...call })
  }

  async function refusedAfter(name: string, behave: LyingHolder['behave']): Promise<string> {
    const heardBefore = liar.heard.length
    liar.behave = behave
    const { status, text, json } = await told(name)
    assert.ok(status >= 400, `${name}: ${text}`)
    if (name !== 'POST /v1/agreements') assert.ok(liar.heard.length > heardBefore, `${name} did not ask the partner`)
    return (json as { code: string }).code
  }

  const asking = declaredRoutes.filter(({ asksPartner }) => asksPartner).map(({ method, path }) => `${method} ${path}`)
  const ofPartner = asking.filter((name) => name !== 'POST /v1/agreements')

  test('the calls that ask a partner are all tried', () => {
    assert.deepEqual(Object.keys(calls).toSorted(), asking.toSorted())
  })

  for (const name of ofPartner) {
    test(`${name}: every problem that there is`, async () => {
      const handedOn = new Set<string>()
      for (const code of Object.keys(problemKinds)) {
        const members = { errors: 'x', possible: 1, retryAfterSeconds: -1, state: 'paused', allow: ['x'] }
        const document = JSON.stringify({ code, detail: 'a lie', ...members })
        const read = await refusedAfter(name, (_, response) =>
          send(response, 403, [document, 'application/problem+json']),
        )
        if (read !== 'answer-unusable') handedOn.add(read)
      }
      assert.ok(handedOn.size > 0 && handedOn.size < 8, [...handedOn].join())
    })

    test(`${name}: what is no answer at all`, async () => {
      const answers: readonly LyingHolder['behave'][] = [
        (_, response) => send(response, 200, ['{}']),
        (_, response) => send(response, 200, ['[]']),
        (_, response) => send(response, 200, ['null']),
        (_, response) => send(response, 200, ['{"id":1,"state":"granted","token":[],"record":7,"events":{}}']),
        (_, response) => send(response, 200, ['{"a":1,"a":2}']),
        (_, response) => send(response, 200, ['<html>', 'text/html']),
        (_, response) => send(response, 200, [`"${'x'.repeat(1024 * 1024)}"`]),
        (_, response) => send(response, 500, ['oh']),
        (_, response) => send(response, 429, ['{}', 'application/problem+json']),
        (_, response) => void response.writeHead(302, { location: 'https://localhost:1/' }).end(),
        (_, response) => void response.writeHead(200, { 'x-long': 'x'.repeat(200_000) }).end(),
        (_, response) => void response.socket?.destroy(),
        (_, response) => void response.writeHead(200, { 'content-length': '10' }).end('{', () => response.destroy()),
      ]
      for (const behave of answers) {
        const code = await refusedAfter(name, behave)
        assert.ok(['answer-unusable', 'answer-invalid', 'partner-unreachable'].includes(code), code)
      }
    })
  }

  test('a consent that is shown with any of its members wrong', async () => {
    for (const wrong of variants(honest.shown)) {
      liar.behave = (_, response) => send(response, 200, [JSON.stringify(wrong)])
      await told('POST /v1/held-consents/{id}/refresh')
    }
  })

  test('a token with any of its parts wrong', async () => {
    const [header = '', payload = '', signature = ''] = honest.token.split('.')
    const part = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString()) as object
    const written = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const tokens = [
      honest.token,
      'x',
      '..',
      `${honest.token}~${honest.token}`,
      `${header}.${payload}.`,
      `${header}.${payload}.${signature.slice(4)}AAAA`,
      ...variants(part(header)).map((wrong) => `${written(wrong)}.${payload}.${signature}`),
      ...variants(part(payload)).map((wrong) => `${header}.${written(wrong)}.${signature}`),
    ]
    for (const token of tokens) {
      const code = await refusedAfter('POST /v1/held-consents/{id}/token', (_, response) =>
        send(response, 200, [JSON.stringify({ token })]),
      )
      assert.ok(code.startsWith('consent-token-') || ['answer-unusable', 'key-unknown'].includes(code), code)
    }
  })

  test('an id that it has given to another request', async () => {
    const id = calls['GET /v1/quotas/asks/{id}']?.path.split('/').at(-1)
    const { partner: _, ...request } = { ...wish, limit: 'another' }
    liar.behave = (_request, response) => send(response, 202, [JSON.stringify({ ...request, id, state: 'asked' })])
    const { json } = await admin.call({ method: 'POST', path: '/v1/quotas/asks', body: { ...wish, limit: 'another' } })
    assert.equal((json as { code: string }).code, 'answer-unusable')
  })

  test('a DID document with any of its members wrong', async () => {
    const document = JSON.parse(liar.document) as object
    for (const wrong of ['', '<html>', '{}', ...variants(document).map((one) => JSON.stringify(one))]) {
      liar.document = wrong
      network.recipient.running.parts.counterparts.resolver.invalidate(network.holder.did)
      await told('POST /v1/agreements')
    }
    liar.document = JSON.stringify(document)
  })

  test('a TLS key that is not trusted, and no node at all', async () => {
    for (const name of ofPartner) {
      liar.useTls(network.delegate.running.parts.foundation.identity.tls())
      const { json } = await told(name)
      assert.equal((json as { code: string }).code, 'tls-untrusted', name)
    }
  })
})

const wrongValues = [null, 7, '', 'x'.repeat(300), {}, ['x'], 'did:web:nobody.example#key', -1, true]

/** The value with one member after the other replaced by something that it should not be, another thing each time, or
 *  taken away. */
function variants(value: unknown, count = { of: 0 }): unknown[] {
  if (typeof value !== 'object' || value === null) return [wrongValues[count.of++ % wrongValues.length]]
  return Object.entries(value).flatMap(([name, member]) => {
    const { [name]: _, ...rest } = value as Record<string, unknown>
    const inner = variants(member, count).map((wrong) => put(value, name, wrong))
    return Array.isArray(value) ? inner : [...inner, rest]
  })
}

function put(value: object, name: string, member: unknown): unknown {
  return Array.isArray(value) ? value.with(Number(name), member) : { ...value, [name]: member }
}
