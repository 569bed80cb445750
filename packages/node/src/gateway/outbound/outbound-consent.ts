/** Outbound step 2, its second half: the consent that a call about a person is made under. The application names it
 *  (`Comity-Consent`), or the person by the pairwise id, and this node attaches the token. */
import { Problem } from '@comity/core/problems'
import type { ReceivedRequest } from '../../http/received-request.ts'
import {
  problemCodeOf,
  problemOf,
  sendRequest,
  type Attempted,
  type OutboundRequest,
  type SenderParts,
} from './send-request.ts'
import { isSafeMethod } from '../steps/record-intent.ts'

/** The consents that this node was given. */
export interface HeldConsentsPort {
  /** Undefined for a call that names neither a consent nor a person. Throws `consent-unknown`, `consent-inactive`,
   *  `consent-ambiguous`, and what the source of tokens answers. */
  attach(call: CallAboutPerson): Promise<AttachedConsent | undefined>
}

export interface CallAboutPerson {
  /** DID of the holder that is called. */
  readonly partner: string
  readonly product: string
  /** IRI. */
  readonly purpose: string | undefined
  /** Id of a consent or a delegation. */
  readonly named: string | undefined
  /** Pairwise id. */
  readonly subject: string | undefined
}

export interface AttachedConsent {
  /** This node acts for another: the call is covered by that one's agreement, not by an own one. */
  readonly isDelegated: boolean
  /** The field `Authorization`. */
  readonly authorization: string
  /** The own key that it is bound to. */
  readonly keyid: string
  /** With another token, after the holder refused this one. */
  renewed(): Promise<AttachedConsent>
  /** The consent that has taken the place of this one, where there is one and the call did not name this one. */
  successor(): Promise<AttachedConsent | undefined>
}

const pairwise = /(?<![\w-])ps_[\w-]{43}(?![\w-])/g

/** The one person that the request names by a pairwise id: in `Comity-Subject`, else in path or query. Throws
 *  `malformed-request` for several, of whom none is the one. */
export function pairwiseIn(request: Pick<ReceivedRequest, 'path' | 'query' | 'header'>): string | undefined {
  const [field] = (request.header('comity-subject') ?? '').match(pairwise) ?? []
  if (field !== undefined) return field
  const named = new Set(`${request.path}${request.query}`.match(pairwise))
  if (named.size <= 1) return [...named][0]
  throw new Problem('malformed-request', 'the call names several people: say which in `Comity-Subject`')
}

/** A request as it goes out under the consent. */
export function withConsent<R extends OutboundRequest>(request: R, consent: AttachedConsent | undefined): R {
  if (consent === undefined) return request
  return { ...request, consent, headers: new Map([...request.headers, ['authorization', consent.authorization]]) }
}

/** A request that may be under a consent. */
export interface ConsentedRequest extends OutboundRequest {
  readonly consent?: AttachedConsent
}

/** What was sent in the end, and how it went. */
export interface SentUnderConsent<R> {
  readonly request: R
  readonly attempted: Attempted
  /** Why there is no other token, when the holder refused the one that was presented. */
  readonly refusal?: Problem
}

/** Sends; when the holder says that the token has run out, does not verify any more, or that the consent has changed, once
 *  more with a fresh one. The holder has refused before it acted, so any method may be sent again. Where another consent
 *  has taken the place of this one and no notice of it was here yet, what may be repeated is sent once more under that. */
export async function sendUnderConsent<R extends ConsentedRequest>(
  request: R,
  parts: SenderParts,
): Promise<SentUnderConsent<R>> {
  const attempted = await sendRequest(request, parts)
  const { consent } = request
  if (consent === undefined) return { request, attempted }
  let fresh: AttachedConsent | undefined
  try {
    if (isTokenStale(attempted, consent, parts)) fresh = await consent.renewed()
    else if (isSuperseded(attempted) && mayBeRepeated(request)) fresh = await consent.successor()
  } catch (error) {
    if (error instanceof Problem) return { request, attempted, refusal: error }
    throw error
  }
  if (fresh === undefined) return { request, attempted }
  const again = withConsent(request, fresh)
  return { request: again, attempted: await sendRequest(again, parts) }
}

/** What a holder says of a token that ran out, whose terms have changed, or whose keys have rotated on the way. */
const stale: ReadonlySet<string> = new Set(['consent-token-expired', 'consent-superseded', 'consent-token-invalid'])

function isSuperseded({ verified, answer }: Attempted): boolean {
  const problem = verified && answer && problemOf(answer)
  return problem?.code === 'consent-inactive' && problem.state === 'superseded'
}

function mayBeRepeated({ method, headers }: OutboundRequest): boolean {
  return isSafeMethod(method) || headers.has('idempotency-key')
}

function isTokenStale(
  { verified, answer }: Attempted,
  consent: AttachedConsent,
  parts: Pick<SenderParts, 'identity'>,
): boolean {
  return isStaleBy(verified && answer && problemCodeOf(answer), consent, parts)
}

/** True when the code with which a holder refused a call under the consent says that a fresh token may do. */
export function isStaleBy(
  code: string | undefined,
  { keyid }: Pick<AttachedConsent, 'keyid'>,
  { identity }: Pick<SenderParts, 'identity'>,
): boolean {
  if (stale.has(code ?? '')) return true
  // The own key has rotated since the token was fetched.
  return code === 'consent-required' && keyid !== identity.authenticationKey().keyid
}
