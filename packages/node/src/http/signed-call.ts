/** A signed call to an address of a partner's own node, outside any product: the request carries the profile's
 *  signature (RFC 9421), the JSON answer is vouched for by the pinned TLS connection that it comes over. */
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { parseJson } from '@comity/core/bytes/json'
import { utf8Text } from '@comity/core/bytes/utf8'
import type { SigningKey } from '@comity/core/crypto/crypto'
import { contentDigest } from '@comity/core/http-signatures/content-digest'
import { signRequest } from '@comity/core/http-signatures/profile-request'
import type { Clock, RandomBytes } from '@comity/core/ports'
import { Problem, type ProblemCode } from '@comity/core/problems'
import type { PartnerAnswer, PartnerClient, PartnerEndpoint } from './partner-client.ts'

export interface SignedRequest {
  readonly method: 'GET' | 'POST'
  /** `/consents/requests`. */
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
  /** Lets the partner carry it out once however often it is sent. Printable ASCII without `"` and `\\`. */
  readonly idempotencyKey?: string
  /** Codes that the partner may refuse this call with. Only they are handed on as what it says; every other refusal is
   *  `answer-unusable`. */
  readonly handsOn: readonly ProblemCode[]
  /** Tag of what is at hand already and of no use, for the field `If-None-Match`. Printable ASCII without `"`. */
  readonly ifNoneMatch?: string
}

export interface SignedAnswer {
  readonly status: number
  /** The JSON of the answer; undefined when it has no body. */
  readonly value: unknown
  /** The key that signed the request. */
  readonly keyid: string
}

/** Sends one request, once. Throws what the partner answered where the request hands it on, `answer-unusable` for
 *  everything else that is not a success, and what the carrier throws. */
export type SignedCaller = (partner: PartnerEndpoint, request: SignedRequest) => Promise<SignedAnswer>

export interface SignedCallerParts {
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  /** The key that signs now. */
  readonly authenticationKey: () => { readonly keyid: string; readonly key: SigningKey }
  readonly client: Pick<PartnerClient, 'send'>
  readonly timeoutMs?: number
}

const lifetimeSeconds = 30
const defaultTimeoutMs = 15_000
const maxAnswerBytes = 1024 * 1024
const maxDetailLength = 1_000

/** Members of a refusal that are handed on, where they are what they should be. */
const handedOnMembers: Readonly<Record<string, (value: unknown) => boolean>> = {
  consent: isText,
  state: isText,
  lapses: isText,
  possible: (value) => Array.isArray(value) && value.every(isText),
  errors: (value) => Array.isArray(value),
  retryAfterSeconds: (value) => Number.isInteger(value) && Number(value) > 0 && Number(value) <= 31 * 86_400,
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= maxDetailLength
}

export function createSignedCaller(parts: SignedCallerParts): SignedCaller {
  return async (partner, request) => {
    const body = request.body === undefined ? new Uint8Array(0) : Buffer.from(JSON.stringify(request.body))
    const { keyid, headers } = signedHeaders(parts, { partner, request, body })
    const answer = await parts.client.send(partner, {
      method: request.method,
      target: request.path,
      headers: [...headers].flat(),
      body,
      timeoutMs: parts.timeoutMs ?? defaultTimeoutMs,
    })
    return { status: answer.status, value: valueOf(answer, partner.did, request.handsOn), keyid }
  }
}

interface ToSign {
  readonly partner: PartnerEndpoint
  readonly request: SignedRequest
  readonly body: Uint8Array
}

function signedHeaders(
  { clock, randomBytes, authenticationKey }: SignedCallerParts,
  { partner, request, body }: ToSign,
) {
  const headers = new Map([['accept', 'application/json, application/problem+json']])
  if (body.length > 0) {
    headers.set('content-type', 'application/json')
    headers.set('content-digest', contentDigest(body))
  }
  if (request.idempotencyKey !== undefined) headers.set('idempotency-key', `"${request.idempotencyKey}"`)
  if (request.ifNoneMatch !== undefined) headers.set('if-none-match', `"${request.ifNoneMatch}"`)
  const createdAt = Math.floor(clock.now() / 1_000)
  const signer = authenticationKey()
  const made = signRequest(
    {
      method: request.method,
      authority: partner.authority,
      path: request.path,
      query: '?',
      hasBody: body.length > 0,
      header: (name) => headers.get(name),
    },
    { ...signer, createdAt, expiresAt: createdAt + lifetimeSeconds, nonce: encodeBase64url(randomBytes(16)) },
  )
  headers.set('signature-input', made.signatureInput)
  headers.set('signature', made.signature)
  return { keyid: signer.keyid, headers }
}

function valueOf(answer: PartnerAnswer, did: string, handsOn: readonly ProblemCode[]): unknown {
  if (answer.body.length > maxAnswerBytes) throw unusable(did, `an answer of over ${maxAnswerBytes} bytes`)
  const type = answer.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (answer.status >= 200 && answer.status < 300) {
    if (answer.body.length === 0) return undefined
    if (type !== 'application/json') throw unusable(did, 'an answer that is not JSON')
    return jsonOf(answer, did)
  }
  throw type === 'application/problem+json'
    ? problemOf(answer, did, handsOn)
    : unusable(did, `the status ${answer.status}`)
}

function jsonOf({ body }: PartnerAnswer, did: string): unknown {
  try {
    return parseJson(utf8Text(body))
  } catch (cause) {
    throw unusable(did, 'JSON that cannot be read', cause)
  }
}

function problemOf(answer: PartnerAnswer, did: string, handsOn: readonly ProblemCode[]): Problem {
  const document = jsonOf(answer, did)
  const facts = typeof document === 'object' && document !== null ? (document as Record<string, unknown>) : {}
  const { code, detail } = facts
  const said = handsOn.find((one) => one === code)
  if (said === undefined) {
    const told = typeof code === 'string' ? ` and the problem \`${code.slice(0, 64)}\`` : ''
    return unusable(did, `the status ${answer.status}${told}`)
  }
  const text = typeof detail === 'string' ? detail.slice(0, maxDetailLength) : 'the partner says no more'
  const members = Object.entries(handedOnMembers).filter(([name, isRight]) => name in facts && isRight(facts[name]))
  return new Problem(said, text, { members: Object.fromEntries(members.map(([name]) => [name, facts[name]])) })
}

function unusable(did: string, what: string, cause?: unknown): Problem {
  return new Problem('answer-unusable', `the node of \`${did}\` answered with ${what}`, { cause })
}
