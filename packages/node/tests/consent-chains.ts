/** Chains of consent tokens as the parties of a network hold them, and as somebody who lies would make them. */
import type { ConsentTokenClaims } from '@comity/core/consent-token/consent-claims'
import { consentAuthorization, parseConsentChain } from '@comity/core/consent-token/consent-authorization'
import type { SigningKey } from '@comity/core/crypto/crypto'
import { signCompactJws } from '@comity/core/jws/compact'
import type { HeldTokenView } from '../src/admin/consent-api.ts'
import { operate, type ConsentNetwork } from './consent-network.ts'
import { athleteReference } from './personal-upstream.ts'
import { send, signCall, type Answer, type CallDraft } from './signed-call.ts'
import type { TestNode } from './test-network.ts'

/** The chain that a node would present now, without the scheme. */
export async function chainOf(node: TestNode, consent: string): Promise<string> {
  const { token } = await operate<HeldTokenView>(node, `/v1/held-consents/${consent}/token`, {})
  return token
}

/** The key that a node signs its requests with. */
export const callerKey = (node: TestNode) => node.running.parts.foundation.identity.authenticationKey()

export interface WireCall extends Partial<CallDraft> {
  readonly chain?: string | undefined
  /** The field `Authorization` as it is, in place of `chain`. */
  readonly authorization?: string
  /** Who signs; the recipient unless told. */
  readonly by?: TestNode
  readonly purpose?: string
}

/** A call straight to the holder's public listener, past the caller's own node. */
export function callOverWire(network: ConsentNetwork, call: WireCall = {}): Promise<Answer> {
  const { chain, authorization, by = network.recipient, purpose = research, headers = {}, ...draft } = call
  const field = authorization ?? (chain === undefined ? undefined : consentAuthorization(chain))
  const fields = { 'comity-purpose': purpose, ...(field === undefined ? {} : { authorization: field }), ...headers }
  const path = `/x/athletes/athletes/${athleteReference}`
  return send(network.holder, signCall(network, { path, as: callerKey(by), ...draft, headers: fields }))
}

const research = 'https://w3id.org/dpv#ResearchAndDevelopment'

export function problemOf({ body }: Answer): Record<string, unknown> {
  return JSON.parse(body.toString('utf8')) as Record<string, unknown>
}

/** The code of a refusal, or the status. */
export function codeOf(answer: Answer): string {
  return answer.status < 400 ? String(answer.status) : String(problemOf(answer)['code'])
}

interface Payload extends Omit<ConsentTokenClaims, 'authorization_details'> {
  readonly authorization_details: readonly Readonly<Record<string, unknown>>[]
  readonly [more: string]: unknown
}

/** The last token of a chain, decoded. */
export function payloadOf(chain: string): Payload {
  const { jws } = parseConsentChain(chain).links.at(-1) ?? {}
  return JSON.parse(jws?.payloadText ?? '') as Payload
}

export interface Forging {
  readonly key: SigningKey
  readonly kid?: string
  readonly typ?: string
}

/** Signs any payload as a consent token, whatever it says. */
export function forge(payload: object, { key, kid, typ = 'comity-consent+jwt' }: Forging): string {
  return signCompactJws({
    key,
    header: { typ, ...(kid === undefined ? {} : { kid }) },
    payload: JSON.stringify(payload),
  })
}

/** The holder's own key: for tokens that the holder has signed and that are wrong all the same. */
export function holderForging({ holder }: ConsentNetwork): Forging {
  const { keyid, key } = holder.running.parts.foundation.identity.assertionKey()
  return { key, kid: keyid }
}
