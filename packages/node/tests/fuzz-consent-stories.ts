/** What is damaged of all that is about consent: the people's pages and their API, the addresses of consents and status
 *  lists, the events between nodes, the operator's routes. Whatever comes, the node is never at fault. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  consentChanged,
  consentDelegated,
  delegationEnded,
  dutyImposed,
  dutyReported,
} from '@comity/core/events/event-types'
import { signSecurityEvent } from '@comity/core/events/security-event'
import { adminOf } from './admin-call.ts'
import { chainOf } from './consent-chains.ts'
import {
  ask,
  browserAt,
  callLocally,
  consented,
  grantOf,
  operate,
  passOn,
  plainNotice,
  startConsentNetwork,
  type ConsentNetwork,
} from './consent-network.ts'
import { assertNoFault, codeOf, fuzzSeed, talk, type Place } from './fuzz-kit.ts'
import { damage, distortion } from './fuzz-mutations.ts'
import { requestOf } from './personal-network.ts'
import { otherReference } from './personal-upstream.ts'
import { signCall, type CallDraft } from './signed-call.ts'

const atOnce = 16
/** Waits for the answer, and not for long when the message is one that the node waits for the rest of. */
const whole = { endAfterMs: 150, patienceMs: 30_000 }

function property<T>(drawn: fc.Arbitrary<T>, check: (value: T) => Promise<void>) {
  const many = fc.array(drawn, { minLength: atOnce, maxLength: atOnce })
  return fc.asyncProperty(many, async (values) => void (await Promise.all(values.map(check))))
}

/** How much: so many times sixteen messages, or as many as fit into a time. */
export type Effort = { readonly batches: number } | { readonly ms: number }

/** The seed is printed by fast-check when it fails. */
function bounds(effort: Effort) {
  const fair = { seed: fuzzSeed(), endOnFailure: true }
  if ('batches' in effort) return { ...fair, numRuns: effort.batches }
  return { ...fair, numRuns: 1_000_000, interruptAfterTimeLimit: effort.ms, markInterruptAsFailure: false }
}

export interface ConsentTarget extends AsyncDisposable {
  readonly network: ConsentNetwork
  /** A consent in force, and a part of it that was passed on. */
  readonly consent: string
  readonly delegation: string
  readonly places: Readonly<Record<'public' | 'people', Place>>
  assertUnharmed(): Promise<void>
}

/** Three nodes with a consent, with short time-outs. */
export async function openConsentTarget(): Promise<ConsentTarget> {
  const network = await startConsentNetwork({
    configure: (config) => Object.assign(config['limits'] as object, { headersTimeoutMs: 600, requestTimeoutMs: 900 }),
  })
  const consent = await consented(network)
  const delegation = await passOn(network, consent)
  const { ports } = network.holder.running
  return {
    network,
    consent,
    delegation,
    places: {
      public: { port: ports.public, secure: true },
      people: { port: ports.people ?? 0, secure: false },
    },
    async assertUnharmed() {
      const other = await consented(network, { reference: otherReference })
      assert.ok(other)
      assert.equal((await browserAt(network).open('/healthz')).status, 200)
      const read = await callLocally(network.recipient, { consent })
      assert.ok(read.code === '200' || read.code === 'consent-inactive', read.text)
      for (const { logged, name } of network.parties) {
        const faults = logged.filter((line) => /error\.internal|storage\.failed/.test(line))
        assert.deepEqual(faults, [], name)
      }
    },
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  }
}

const wireOf = (first: string, headers: readonly (readonly [string, string])[], body = ''): Buffer =>
  Buffer.from(
    [
      `${first} HTTP/1.1`,
      ...headers.map(([name, value]) => `${name}: ${value}`),
      ...(body === '' ? [] : [`content-length: ${Buffer.byteLength(body)}`]),
      'connection: close',
      '',
      '',
    ].join('\r\n') + body,
  )

/** A person's session, and the messages of a browser in it. */
async function pageMessages({ network, consent, places }: ConsentTarget): Promise<Buffer[]> {
  const { link } = await ask(network, { reference: '900000041' })
  const browser = browserAt(network)
  const shown = await browser.open(link)
  const token = shown.page.form('/c/decide').hidden[0]?.[1] ?? ''
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const host = ['host', `localhost:${places.people.port}`] as const
  const own = [
    host,
    ['cookie', cookie],
    ['sec-fetch-site', 'same-origin'],
    ['accept-language', 'de;q=0.8, ar'],
  ] as const
  const form = [...own, ['content-type', 'application/x-www-form-urlencoded']] as const
  const json = [
    ...own,
    ['content-type', 'application/json'],
    ['origin', `http://localhost:${places.people.port}`],
  ] as const
  const uuid = consent.slice('urn:uuid:'.length)
  const decided = `form=${encodeURIComponent(token)}&grant-0=yes&fields-0=0&fields-0=1&time=P30D&act=grant`
  return [
    wireOf(`GET ${new URL(link).pathname}?lang=ar`, [host]),
    wireOf('GET /c', own),
    wireOf('POST /c/decide', form, decided),
    wireOf('GET /c/review', own),
    wireOf('POST /c/passkey/next', json, '{"form":"x"}'),
    wireOf('POST /c/passkey/register', json, '{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{}}'),
    wireOf('GET /me', own),
    wireOf(`GET /me/consents/${uuid}`, own),
    wireOf('GET /v1/me', own),
    wireOf('GET /v1/me/consents?limit=10', own),
    wireOf(`GET /v1/me/consents/${consent}/uses`, own),
    wireOf(`POST /v1/me/consents/${consent}:pause`, json, `{"form":"${token}"}`),
    wireOf('GET /v1/me/access-log', own),
    wireOf('GET /v1/me/access-log/0190a7f0-0000-7000-8000-000000000000/proof', own),
    wireOf('GET /assets/people.css', [host]),
  ]
}

/** The people's listener: pages, forms and API, each byte of them. */
export async function fuzzPeople(target: ConsentTarget, effort: Effort): Promise<void> {
  const messages = await pageMessages(target)
  const drawn = fc.tuple(fc.constantFrom(...messages), damage)
  const check = async ([message, change]: [Buffer, (bytes: Buffer) => Buffer]): Promise<void> => {
    const bytes = change(message)
    const { answers, rest } = await talk(target.places.people, [bytes], whole)
    const what = () => JSON.stringify(bytes.toString('latin1'))
    assert.equal(rest, '', what())
    for (const { status, body } of answers) {
      assert.ok(status >= 200 && status < 500, `${status} for ${what()}`)
      assert.doesNotMatch(body, /node_modules|\.ts:\d/)
    }
  }
  await fc.assert(property(drawn, check), bounds(effort))
}

/** Signed anew after the damage: what is refused is refused by what it says. */
export async function fuzzConsentWire(target: ConsentTarget, effort: Effort): Promise<void> {
  const { network, consent, places } = target
  const given = await consented(network, { duration: 'P7D' }, { time: 'P7D' })
  const asked = requestOf({ reference: '900000042' })
  const chain = await chainOf(network.recipient, consent)
  const inputs: readonly (readonly [string, unknown])[] = [
    ['/consents/requests', asked],
    [`/consents/${given}/revoke`, { reason: 'over', more: 1 }],
  ]
  const sendIt = async (draft: Partial<CallDraft>): Promise<void> => {
    const { method, target: path, headers, body } = signCall(network, { headers: {}, ...draft })
    const answered = await talk(places.public, [wireOf(`${method} ${path}`, headers, body)], { patienceMs: 30_000 })
    assertNoFault(answered, () => JSON.stringify(draft))
  }
  const distorted = fc.tuple(fc.constantFrom(...inputs), distortion)
  const post = ([[path, value], change]: [readonly [string, unknown], (value: unknown) => unknown]) =>
    sendIt({ method: 'POST', path, body: JSON.stringify(change(value)) ?? 'x' })
  await fc.assert(property(distorted, post), bounds(effort))
  const paths = [`/consents/${consent}`, `/consents/requests/${consent}`, `/consents/${consent}/token`, '/status/1']
  const letters = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_.:~!$&()*+,;=@%2f/'), minLength: 1, maxLength: 4 })
  const edited = fc.tuple(fc.constantFrom(...paths), fc.double({ min: 0, max: 1, noNaN: true }), letters)
  const get = ([path, at, piece]: [string, number, string]) => {
    const start = 1 + Math.floor(at * (path.length - 1))
    return sendIt({ path: path.slice(0, start) + piece + path.slice(start + piece.length) })
  }
  await fc.assert(property(edited, get), bounds(effort))
  const presented = (change: (bytes: Buffer) => Buffer) => {
    const authorization = `Comity ${change(Buffer.from(chain))
      .toString('latin1')
      .replaceAll(/[^\x21-\x7e]/g, '~')}`
    const fields = { authorization, 'comity-purpose': 'https://w3id.org/dpv#ResearchAndDevelopment' }
    return sendIt({ path: '/x/athletes/athletes/736041664', headers: fields })
  }
  await fc.assert(property(damage, presented), bounds(effort))
}

/** Well-signed events that say strange things. */
export async function fuzzConsentEvents(target: ConsentTarget, effort: Effort): Promise<void> {
  const { network, consent, delegation, places } = target
  const { holder, recipient, delegate } = network
  const token = await chainOf(delegate, delegation)
  const [owner, did] = [holder.did, delegate.did]
  const time = network.clock.now()
  const changed = { consent, holder: owner, state: 'paused', rev: 1, hash: 'A'.repeat(43), seq: 9, time }
  const duty = {
    duty: '0190a7f0-0000-7000-8000-000000000000',
    kind: 'delete',
    consent,
    holder: owner,
    subject: 'ps_x',
    due: time,
  }
  const events: readonly (readonly [string, unknown])[] = [
    [consentChanged, changed],
    [consentDelegated, { consent, holder: owner, delegation, delegate: did, token }],
    [
      delegationEnded,
      { consent, holder: owner, delegation: 'urn:uuid:0190a7f0-0000-7000-8000-000000000000', delegate: did },
    ],
    [dutyImposed, duty],
    [dutyReported, { duty: duty.duty, receipt: 'a.b.c' }],
  ]
  let sent = 0
  const drawn = fc.tuple(fc.constantFrom(...events), distortion, fc.constantFrom(recipient, delegate, holder))
  type Drawn = [readonly [string, unknown], (value: unknown) => unknown, typeof holder]
  const check = async ([[type, payload], change, to]: Drawn): Promise<void> => {
    const by = to === holder ? recipient : holder
    const place: Place = to === holder ? places.public : { port: to.running.ports.public, secure: true }
    const strange = change(payload)
    const value = typeof strange === 'object' && strange !== null ? strange : { strange }
    const iat = Math.floor(network.clock.now() / 1_000)
    const claims = { iss: by.did, aud: to.did, jti: `fuzz-${(sent += 1)}`, iat, events: { [type]: value } }
    const body = signSecurityEvent(claims as never, by.running.parts.foundation.identity.assertionKey())
    const fields = [
      ['host', new URL(to.url).host],
      ['content-type', 'application/secevent+jwt'],
    ] as const
    const answered = await talk(place, [wireOf('POST /events', fields, body)], { patienceMs: 30_000 })
    for (const { status, body: said } of answered.answers)
      assert.ok(
        status === 202 || (status >= 400 && status < 500),
        `${status} ${said} for ${type} ${JSON.stringify(value)}`,
      )
  }
  await fc.assert(property(drawn, check), bounds(effort))
}

/** The operator's routes of consents, at both sides. */
export async function fuzzConsentAdmin(target: ConsentTarget, effort: Effort): Promise<void> {
  const { network, consent, delegation } = target
  const { id } = await ask(network, { reference: '900000043' })
  const [holder, recipient] = [await adminOf(network.holder), await adminOf(network.recipient)]
  const session = { channel: 'portal', acr: 'high', amr: ['pwd'], authTime: 1_700_000_000 }
  const decision = {
    decision: 'grant',
    session,
    lang: 'en',
    grants: [{ id: 'g1', fields: ['height'] }],
    expires: '2026-12-01T00:00:00Z',
  }
  const asking = {
    partner: 'holder',
    reference: '900000044',
    label: 'x',
    grants: [grantOf({})],
    notice: plainNotice,
    duration: 'P30D',
    recipient: { name: 'Lab' },
  }
  const passing = {
    delegate: 'delegate',
    until: new Date(Date.now() + 86_400_000).toISOString(),
    grants: [{ grant: 'g1', fields: { include: ['height'] } }],
  }
  const template = {
    id: 'urn:example:t',
    version: '1',
    title: { en: 'T' },
    kind: 'personal',
    notice: plainNotice,
    grants: [grantOf({})],
    duration: 'P30D',
  }
  const inputs: readonly (readonly [typeof holder, string, unknown])[] = [
    [holder, `/v1/consents/${id}/decide`, decision],
    [holder, `/v1/consents/${consent}/pause`, { by: 'holder', reason: 'x' }],
    [holder, `/v1/consents/${consent}/resume`, { by: 'holder' }],
    [holder, `/v1/consents/${id}/link`, { grantor: { id: 'x', capacity: 'guardian' } }],
    [holder, '/v1/subjects/link', { reference: '900000045' }],
    [recipient, '/v1/held-consents', asking],
    [recipient, `/v1/held-consents/${consent}/delegate`, passing],
    [recipient, `/v1/held-consents/${consent}/refresh`, {}],
    [recipient, `/v1/delegations/${delegation}x/end`, {}],
    [recipient, '/v1/templates', template],
  ]
  const check = async ([[admin, path], rawBody]: [(typeof inputs)[number], string]): Promise<void> => {
    const { status, headers, text } = await admin.call({
      method: 'POST',
      path,
      rawBody,
      headers: { 'content-type': 'application/json' },
    })
    assert.ok(status < 500, `${status} ${text} for ${path} ${rawBody}`)
    const fields = new Map(Object.entries(headers).map(([name, value]) => [name, String(value)]))
    if (status >= 400) codeOf({ status, headers: fields, body: text })
  }
  const distorted = fc
    .tuple(fc.constantFrom(...inputs), distortion)
    .map(([input, change]): [(typeof inputs)[number], string] => [input, JSON.stringify(change(input[2])) ?? ''])
  await fc.assert(property(distorted, check), bounds(effort))
  const damaged = fc
    .tuple(fc.constantFrom(...inputs), damage)
    .map(([input, change]): [(typeof inputs)[number], string] => [
      input,
      change(Buffer.from(JSON.stringify(input[2]))).toString('utf8'),
    ])
  await fc.assert(property(damaged, check), bounds(effort))
  await operate(network.holder, '/v1/consents')
}
