/** The load of a partner on a holder's node: signed calls under an agreement, about people under their consents. */

import type { LoadPlan, SignedCall } from '../load/messages.ts'
import { payload, releasedPayload } from '../upstream/payload.ts'
import { productPath } from './comity-files.ts'
import { consentedFields } from './consented-calls.ts'
import type { ConsentToken, Partner } from './partner.ts'
import { CONNECTIONS } from './system.ts'

export interface CallingPartner {
  /** The holder's node. */
  readonly pid: number
  readonly publicPort: number
  /** Id of the agreement that the calls name. */
  readonly agreement: string
  readonly partner: Partner
}

/** Over TLS, to a node on this machine. */
export function loadOn(publicPort: number) {
  const target = { host: '127.0.0.1', port: publicPort, tls: { serverName: 'localhost' } }
  return { target, connections: CONNECTIONS, authority: `localhost:${publicPort}` }
}

export function signedPlan(
  { publicPort, agreement, partner }: CallingPartner,
  { path, headers }: SignedCall,
): LoadPlan & { readonly requests: { readonly kind: 'signed' } } {
  const { authority, ...load } = loadOn(publicPort)
  const { keyid, privateJwk } = partner
  const fields = { 'comity-agreement': agreement, ...headers }
  return { ...load, requests: { kind: 'signed', authority, headers: fields, keyid, privateJwk, path }, answer: payload }
}

/** A call about a person of that number. */
export function personalCall(person: number, token: Pick<ConsentToken, 'token'>): SignedCall {
  return { path: productPath('bench-personal', `/readings/${person}`), headers: consentedFields(token) }
}

/** Calls about people, in turn. */
export function personalPlan(by: CallingPartner, calls: readonly SignedCall[]): LoadPlan {
  const { requests, ...load } = signedPlan(by, { path: '', headers: {} })
  return { ...load, requests: { ...requests, calls }, answer: releasedPayload }
}
