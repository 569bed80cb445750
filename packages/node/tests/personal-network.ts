/** Two real nodes with a personal product, consents that were asked for and given, and calls under them. */
import assert from 'node:assert/strict'
import { formatDateTime } from '@comity/core/agreement/date-time'
import type { ConsentGrant } from '@comity/core/consent/consent-record'
import { testPurposes } from '@comity/core/consent/test-consent'
import { consentAuthorization } from '@comity/core/consent-token/consent-authorization'
import type { DecisionBy } from '../src/consent/consent-service.ts'
import type { HolderConsents } from '../src/consent/holder/consents.ts'
import { athleteReference, athletesProducts, startAthletesApi, type AthletesApi } from './personal-upstream.ts'
import { send, signCall, type Answer, type CallDraft } from './signed-call.ts'
import { startTestNetwork, type TestNetwork, type TestNode } from './test-network.ts'

export interface PersonalNetwork extends TestNetwork {
  readonly api: AthletesApi
}

const { research, marketing } = testPurposes

/** Settings that a product has beside those of the kit. */
export type ProductChanges = Readonly<Record<string, object>>

/** The network with the products about athletes, and an agreement on them for research and marketing. */
export async function startPersonalNetwork(
  changes: ProductChanges = {},
  offer = (products: readonly { readonly id: string }[]): readonly object[] => products,
  rules: readonly object[] = [],
): Promise<PersonalNetwork> {
  await using stack = new AsyncDisposableStack()
  const api = stack.use(await startAthletesApi())
  const network = await startTestNetwork({
    holder: (config, root) => {
      const products = athletesProducts(api.url, root) as { id: string }[]
      const changed = products.map((product) => ({ ...product, ...changes[product.id] }))
      ;(config['products'] as object[]).push(...offer(changed))
      config['limits'] = { ...(config['limits'] as object), rules: structuredClone(rules) }
    },
  })
  stack.use(network)
  await network.agree({ products: ['athletes', 'results'], purposes: [research, marketing] })
  const started = stack.move()
  return { ...network, api, [Symbol.asyncDispose]: () => started.disposeAsync() }
}

export const consentsOf = (node: TestNode): HolderConsents => node.running.parts.consent.consents

const decidedBy = (nowMs: number): DecisionBy => ({
  role: 'subject',
  method: 'page',
  lang: 'en',
  presentedMs: nowMs,
})

export interface ConsentTerms {
  readonly reference?: string
  readonly duration?: string
  readonly grants?: readonly Partial<ConsentGrant>[]
}

/** What the recipient asks for. */
export function requestOf({ reference = athleteReference, duration = 'P30D', grants = [{}] }: ConsentTerms) {
  return {
    subject: { reference, type: 'person' },
    kind: 'personal',
    grants: grants.map((grant, index) => grantOf({ grant: `g${index + 1}`, ...grant })),
    notice: { version: '1', text: { en: 'We study how sport forms the body.' } },
    duration,
    recipient: { name: 'Sports Lab' },
  }
}

/** A consent of a person to the recipient, asked for and given. Gives its id. */
export async function giveConsent(network: PersonalNetwork, terms: ConsentTerms = {}): Promise<string> {
  const asked = requestOf(terms)
  const { id } = await consentsOf(network.holder).requestConsent(asked, { did: network.recipient.did })
  await grantAll(network, id, asked)
  return id
}

/** The person grants all that was asked for. */
export async function grantAll(
  network: PersonalNetwork,
  id: string,
  asked: ReturnType<typeof requestOf>,
): Promise<void> {
  const consents = consentsOf(network.holder)
  const nowMs = network.clock.now()
  const choice = { grants: asked.grants.map(({ grant }) => ({ id: grant })) }
  const draft = await consents.draft(id, choice, decidedBy(nowMs))
  const proof = { by: draft.record.grantor.id, role: 'subject', type: 'link', at: formatDateTime(nowMs) } as const
  await consents.grant(draft, { ...proof, value: { channel: 'webhook' } }, decidedBy(nowMs))
}

function grantOf(grant: Partial<ConsentGrant>): ConsentGrant {
  return {
    grant: 'g1',
    effect: 'permit',
    purposes: [research],
    actions: ['read'],
    products: ['athletes'],
    domains: ['sport.body'],
    ...grant,
  }
}

/** A fresh token of the recipient's, as the field `Authorization`. */
export async function tokenFor({ holder, recipient }: TestNetwork, consent: string): Promise<string> {
  const { did, parts } = { did: recipient.did, parts: recipient.running.parts }
  const jwk = parts.foundation.identity.authenticationKey().key.publicJwk
  const [issuer] = holder.running.parts.consent.tokenSources
  const issued = await issuer?.tokenFor(consent, { did, jwk })
  assert.ok(issued)
  return consentAuthorization(issued.token)
}

export interface PersonalCall extends Partial<CallDraft> {
  readonly authorization?: string | undefined
  readonly purpose?: string | undefined
}

/** A call about the athlete, for research unless told. */
export async function call(network: TestNetwork, changes: PersonalCall = {}): Promise<Answer> {
  const { authorization, purpose = research, headers = {}, ...draft } = changes
  const consented = authorization === undefined ? {} : { authorization }
  const fields = { 'comity-purpose': purpose, ...consented, ...headers }
  const path = `/x/athletes/athletes/${athleteReference}`
  return send(network.holder, signCall(network, { path, ...draft, headers: fields }))
}

/** The answer's JSON. */
export function jsonOf(answer: Answer): Record<string, unknown> {
  return JSON.parse(answer.body.toString('utf8')) as Record<string, unknown>
}

/** The code of a refusal, or the status. */
export function codeOf(answer: Answer): string {
  return String(answer.status < 400 ? answer.status : jsonOf(answer)['code'])
}
