/** A holder, a recipient and its delegate as real nodes in this process: with pages for people, systems of their own
 *  behind webhooks, an agreement, and products about people over a real API. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConsentGrant } from '@comity/core/consent/consent-record'
import { testPurposes } from '@comity/core/consent/test-consent'
import type { ConsentDetailsView, DelegationView, HeldConsentView } from '../src/admin/consent-api.ts'
import { adminOf } from './admin-call.ts'
import { startOwnSystem, type OwnSystem } from './consent-systems.ts'
import { freePort } from './free-port.ts'
import { attribute, textOf } from './html-page.ts'
import { Browser, type Visit } from './people-scene.ts'
import { athleteReference, athletesProducts, startAthletesApi, type AthletesApi } from './personal-upstream.ts'
import { startTestNetwork, type TestNetwork, type TestNode } from './test-network.ts'

const { research, marketing } = testPurposes

export type PartyName = 'holder' | 'recipient' | 'delegate'

export interface ConsentNetwork extends TestNetwork {
  readonly delegate: TestNode
  readonly parties: readonly TestNode[]
  readonly api: AthletesApi
  readonly systems: Readonly<Record<PartyName, OwnSystem>>
}

export interface ConsentNetworkOptions {
  /** Changes what every node is configured with. */
  readonly configure?: (config: Record<string, unknown>, name: PartyName) => void
  /** Names of further nodes, with nothing set up; they are among `others`. */
  readonly more?: readonly string[]
}

/** What the recipient states to people unless told. */
export const plainNotice = { version: '1', text: { en: 'We study how sport forms the body.' } }

const secretOf = (name: string): string => `whsec_${createHash('sha256').update(name).digest('base64')}`

export async function startConsentNetwork({
  configure,
  more = [],
}: ConsentNetworkOptions = {}): Promise<ConsentNetwork> {
  await using stack = new AsyncDisposableStack()
  const api = stack.use(await startAthletesApi())
  const system = async (name: PartyName) => stack.use(await startOwnSystem(secretOf(name)))
  const systems = {
    holder: await system('holder'),
    recipient: await system('recipient'),
    delegate: await system('delegate'),
  }
  const port = await freePort()
  const prepare = (name: PartyName) => (config: Record<string, unknown>, root: string) => {
    const file = join(root, `${name}-webhook.secret`)
    writeFileSync(file, secretOf(name), { mode: 0o600 })
    config['webhooks'] = [{ url: systems[name].url, secret: { file } }]
    Object.assign(config['limits'] as object, { failures: { requests: 1_000_000, perSeconds: 1 } })
    if (name === 'holder') {
      ;(config['products'] as object[]).push(...athletesProducts(api.url, root))
      Object.assign(config['listen'] as object, { people: { port, url: `http://localhost:${port}` } })
    }
    configure?.(config, name)
  }
  const network = stack.use(
    await startTestNetwork({
      holder: prepare('holder'),
      recipient: prepare('recipient'),
      others: { delegate: prepare('delegate'), ...Object.fromEntries(more.map((name) => [name, () => {}])) },
    }),
  )
  await network.agree({ products: ['athletes', 'results'], purposes: [research, marketing] })
  const delegate = network.others['delegate']
  assert.ok(delegate)
  const parties = [network.holder, network.recipient, delegate]
  const started = stack.move()
  return { ...network, delegate, parties, api, systems, [Symbol.asyncDispose]: () => started.disposeAsync() }
}

/** Waits until the answer is there. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false) {
  const endMs = performance.now() + 60_000
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found as T
    assert.ok(performance.now() < endMs, `${what}: not within a minute`)
    await sleep(20)
  }
}

/** A call of the operator's API that must succeed. */
export async function operate<T>(node: TestNode, path: string, body?: unknown): Promise<T> {
  const admin = await adminOf(node)
  const answer = await admin.call({ path, ...(body === undefined ? {} : { method: 'POST', body }) })
  assert.ok(answer.status < 300, `${answer.status} ${answer.text}`)
  return answer.json as T
}

export interface Ask {
  readonly reference?: string
  readonly duration?: string
  readonly grants?: readonly Partial<ConsentGrant>[]
  readonly notice?: { readonly version: string; readonly text: Readonly<Record<string, string>> }
  readonly label?: string
  readonly subjectType?: string
  readonly recipient?: { readonly name: string }
}

export interface Asked {
  readonly id: string
  /** For the person. */
  readonly link: string
}

/** The recipient's operator asks; the holder's own system is told, with the link for the person. */
export async function ask(network: ConsentNetwork, { grants = [{}], ...terms }: Ask = {}): Promise<Asked> {
  const { id } = await operate<HeldConsentView>(network.recipient, '/v1/held-consents', {
    partner: 'holder',
    reference: athleteReference,
    label: 'kim',
    duration: 'P30D',
    notice: plainNotice,
    recipient: { name: 'Sports Lab' },
    ...terms,
    grants: grants.map((grant, index) => grantOf({ grant: `g${index + 1}`, ...grant })),
  })
  const { data } = await until('the link', () =>
    network.systems.holder.heard.find(({ type, data: told }) => type === 'consent.requested' && told['id'] === id),
  )
  return { id, link: String(data['link']) }
}

/** A grant as the recipient asks for it unless told. */
export function grantOf(grant: Partial<ConsentGrant>): ConsentGrant {
  return {
    grant: 'g1',
    effect: 'permit',
    purposes: [research],
    actions: ['read'],
    products: ['athletes'],
    domains: ['identity', 'sport.body'],
    retention: { onWithdrawal: 'delete', deleteWithin: 'P7D' },
    onward: { allow: 'any', maxDepth: 2 },
    ...grant,
  }
}

/** A person's browser at the holder's pages. */
export function browserAt({ holder }: ConsentNetwork, headers: Readonly<Record<string, string>> = {}): Browser {
  const port = holder.running.ports.people
  return new Browser({ listenerUrl: `http://127.0.0.1:${port}`, url: `http://localhost:${port}` }, headers)
}

export interface PageChoice {
  /** Fields to tick; all that are offered when undefined. */
  readonly fields?: readonly string[]
  readonly time?: string
  readonly browser?: Browser
}

/** The person opens the link, ticks, reads and confirms, with a browser that runs no scripts. */
export async function decideOnPage(network: ConsentNetwork, link: string, choice: PageChoice = {}): Promise<Visit> {
  const { fields, time = 'P30D', browser = browserAt(network) } = choice
  const shown = await browser.open(link)
  assert.equal(shown.status, 200, shown.text)
  assert.match(shown.text, /action="\/c\/decide"/)
  assert.deepEqual(
    shown.page.form('/c/decide').hidden.map(([name]) => name),
    ['form'],
    'nothing is ticked from the start',
  )
  const boxes = shown.page
    .all('input')
    .filter((input) => attribute(input, 'type') === 'checkbox')
    .map((input) => ({
      name: attribute(input, 'name') ?? '',
      value: attribute(input, 'value') ?? '',
      label: labelOf(shown, attribute(input, 'id') ?? ''),
    }))
  const ticked = boxes.filter(({ name, label }) => name.startsWith('grant-') || (fields?.includes(label) ?? true))
  const review = await browser.submit(shown, '/c/decide', [
    ...ticked.map(({ name, value }): [string, string] => [name, value]),
    ['time', time],
    ['act', 'grant'],
  ])
  assert.equal(review.path, '/c/review', review.page.text)
  const done = await browser.submit(review, '/c/confirm')
  assert.equal(done.path, '/c/done', done.page.text)
  return done
}

function labelOf(visit: Visit, id: string): string {
  const label = visit.page.all('label').find((one) => attribute(one, 'for') === id)
  return label === undefined ? '' : textOf(label).trim()
}

/** Asked, given on the page, and known at the recipient. Gives the id. */
export async function consented(network: ConsentNetwork, terms: Ask = {}, choice: PageChoice = {}): Promise<string> {
  const { id, link } = await ask(network, terms)
  await decideOnPage(network, link, { time: terms.duration ?? 'P30D', ...choice })
  await untilHeld(network.recipient, id, 'active')
  return id
}

/** Waits until a node knows its consent (or delegation) to be in the state, and has read what it grants. */
export function untilHeld(node: TestNode, id: string, state: string): Promise<HeldConsentView> {
  return until(`${id} is ${state} at ${node.name}`, async () => {
    const { held, details } = await node.running.parts.consent.held.consents
      .show(id)
      .catch(() => ({ held: undefined, details: undefined }))
    if (held?.state !== state || (state === 'active' && details?.subject === undefined)) return undefined
    return operate<HeldConsentView>(node, `/v1/held-consents/${id}`)
  })
}

/** The recipient passes a part on, for a week or as long as it may, and the delegate knows. Gives the delegation's id. */
export async function passOn(network: ConsentNetwork, consent: string, part: Partial<ConsentGrant> = {}) {
  const { expires = '' } = await operate<HeldConsentView>(network.recipient, `/v1/held-consents/${consent}`)
  const untilMs = Math.min(network.clock.now() + 7 * 86_400_000, Date.parse(expires))
  const { id } = await operate<DelegationView>(network.recipient, `/v1/held-consents/${consent}/delegate`, {
    delegate: 'delegate',
    until: new Date(untilMs).toISOString(),
    grants: [{ grant: 'g1', fields: { include: ['height'] }, ...part }],
  })
  await untilHeld(network.delegate, id, 'active')
  return id
}

/** Below the holder's address at a node's local listener. */
export const athleteOf = (reference: string = athleteReference): string => `athletes/athletes/${reference}`

export interface LocalCall extends RequestInit {
  /** Below the product; the athlete unless told. */
  readonly path?: string
  /** A consent, a delegation, or `undefined` for what the node finds by the person. */
  readonly consent?: string | undefined
  readonly purpose?: string
}

export interface LocalAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Record<string, unknown>
  /** The problem's code, or the status. */
  readonly code: string
}

/** A call of a node's own application, over its listener on loopback. */
export async function callLocally(node: TestNode, call: LocalCall = {}): Promise<LocalAnswer> {
  const { path = athleteOf(), consent, purpose = research, headers, ...init } = call
  const fields = { 'comity-purpose': purpose, ...(consent === undefined ? {} : { 'comity-consent': consent }) }
  const answer = await fetch(node.local(`/holder/${path}`), { ...init, headers: { ...fields, ...headers } })
  const text = await answer.text()
  const json = JSON.parse(text) as Record<string, unknown>
  const code = answer.status < 400 ? String(answer.status) : String(json['code'])
  return { status: answer.status, headers: answer.headers, text, json, code }
}

/** What the holder's operator sees of the consent. */
export const atHolder = (network: ConsentNetwork, id: string): Promise<ConsentDetailsView> =>
  operate(network.holder, `/v1/consents/${id}`)

/** As the person does it on the own page. */
export async function changeOnPage(
  network: ConsentNetwork,
  id: string,
  step: 'pause' | 'resume' | 'withdraw',
): Promise<void> {
  const { reference } = await atHolder(network, id)
  const { url } = await operate<{ url: string }>(network.holder, '/v1/subjects/link', { reference })
  const browser = browserAt(network)
  const entered = await browser.open(url)
  const me = await browser.submit(entered, new URL(url).pathname)
  assert.equal(me.path, '/me', me.page.text)
  const shown = await browser.open(`/me/consents/${id.slice('urn:uuid:'.length)}`)
  const action = `/me/consents/${id.slice('urn:uuid:'.length)}/${step}`
  const done = await browser.submit(shown, action)
  assert.ok(done.status < 300, done.page.text)
}
