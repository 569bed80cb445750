/** Outbound step 4: an answer counts only when the holder signed it for this very request and its receipt says the same. */
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { equalBytes } from '@comity/core/bytes/bytes'
import { sha256 } from '@comity/core/crypto/crypto-node'
import { compositePath, compositeProduct } from '@comity/core/exchange/composite-parts'
import { addressInPath, isAddressed } from '@comity/core/exchange/product-address'
import { parseReceipt, verifyParsedReceipt, type ReceiptClaims } from '@comity/core/exchange/receipt'
import { parseContentDigest, verifyContentDigest } from '@comity/core/http-signatures/content-digest'
import {
  parseResponseSignature,
  verifyResponseSignature,
  type AnsweredRequest,
  type ResponseSignature,
} from '@comity/core/http-signatures/profile-response'
import { logOriginOf } from '@comity/core/identity/log-origin'
import { Problem, type ProblemCode } from '@comity/core/problems'
import type { StreamedBody } from '../../http/incoming-stream.ts'
import type { IdentityPort } from '../ports.ts'

/** An HTTP answer as received. */
export interface RawAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: Uint8Array
  /** Instead of `body`, which is empty then: one that is still on its way. */
  readonly stream?: StreamedBody | undefined
  /** What a streamed answer came to, once it has come to its end. */
  readonly end?: StreamedEnd | undefined
}

/** The end of a streamed answer. */
export interface StreamedEnd {
  /** Trailer fields by lower-case name. */
  readonly trailers: ReadonlyMap<string, string>
  /** SHA-256 of the content. */
  readonly hash: Uint8Array
}

/** SHA-256 of an answer's content. */
function contentHash({ body, end }: RawAnswer): Uint8Array {
  return end?.hash ?? sha256(body)
}

/** The field, which of a streamed answer is a trailer field. */
function provingField({ headers, end }: RawAnswer, name: string): string | undefined {
  return (end?.trailers ?? headers).get(name)
}

/** The request that was sent, with what the answer must bind to. */
export interface SentRequest extends AnsweredRequest {
  readonly base: string
  readonly holder: string
  readonly recipient: string
  readonly agreementId: string | undefined
  /** Id of the consent whose token was presented. */
  readonly consentId?: string | undefined
}

export interface VerifiedAnswer {
  readonly signature: ResponseSignature
  /** The receipt as received, and what it says. A refusal before a product was found has none. */
  readonly receipt: VerifiedReceipt | undefined
}

export interface VerifiedReceipt {
  readonly jws: string
  readonly claims: ReceiptClaims
}

/** A key that is not the holder's is a flaw of its answer, whatever the resolver calls it. */
const flawsOfKeys: ReadonlySet<ProblemCode> = new Set(['key-unknown', 'did-invalid', 'malformed-key'])

async function keyOf(identity: IdentityPort, keyid: string, purpose: 'authentication' | 'assertionMethod') {
  try {
    return identity.peek(keyid, purpose) ?? (await identity.resolveKey(keyid, purpose))
  } catch (cause) {
    if (!(cause instanceof Problem) || !flawsOfKeys.has(cause.code)) throw cause
    throw new Problem('answer-invalid', cause.message, { cause })
  }
}

function unbound(detail: string): Problem {
  return new Problem('answer-unbound', detail)
}

/** Throws `answer-unbound` when the receipt is about anything but this request and this answer. */
function checkReceipt(claims: ReceiptClaims, answer: RawAnswer, sent: SentRequest): void {
  if (claims.iss !== sent.holder || claims.aud !== sent.recipient)
    throw unbound('the receipt is between other participants')
  if (claims.req !== encodeBase64url(sha256(sent.base))) throw unbound('the receipt is for another request')
  if (claims.res !== encodeBase64url(contentHash(answer))) throw unbound('the receipt is for another answer')
  if (claims.status !== answer.status) throw unbound('the receipt states another status')
  const { header } = sent.parts
  checkProduct(claims, sent.parts.path)
  if (claims.log !== logOriginOf(sent.holder)) throw unbound('the receipt names a log that is not the holder’s')
  checkConsent(claims, answer, sent.consentId)
  if (claims.key !== undefined) throw unbound('the receipt names an API key')
  const term = differingTerm(claims, { agreementId: sent.agreementId, purpose: header('comity-purpose') })
  if (term !== undefined) throw unbound(`the receipt names another ${term}`)
}

/** What is answered under an agreement says so. A refusal may leave both out, and the holder may be left the choice of the
 *  agreement; what a receipt names is never another than was asked under. */
export function differingTerm(
  { agr, pur, status }: Pick<ReceiptClaims, 'agr' | 'pur' | 'status'>,
  { agreementId, purpose }: { readonly agreementId: string | undefined; readonly purpose: string | undefined },
): 'agreement' | 'purpose' | undefined {
  const isUnder = agreementId !== undefined && status < 300
  if (agreementId !== undefined && (isUnder || agr !== undefined) && agr !== agreementId) return 'agreement'
  return (isUnder || pur !== undefined) && pur !== purpose ? 'purpose' : undefined
}

/** The receipt is about the product that the path names, in the version where it names one, or about the parts of a composite. */
function checkProduct({ prd, ver, parts, pth }: ReceiptClaims, path: string): void {
  const isComposite = path === compositePath
  if (!isComposite && (parts !== undefined || pth !== undefined)) throw unbound('the receipt is one of a composite')
  const isNamed = isComposite ? prd === compositeProduct : isAddressed(addressInPath(path), { prd, ver })
  if (!isNamed) throw unbound('the receipt names another product, or another version')
}

/** What was released under a consent says so, and under no other. */
function checkConsent({ con }: ReceiptClaims, { status }: RawAnswer, consentId: string | undefined): void {
  if (con === undefined ? consentId !== undefined && status < 400 : con.id !== consentId) {
    throw unbound('the receipt names another consent, or none')
  }
}

/** Everything about one answer. Throws `answer-unsigned`, `answer-unbound` or `answer-invalid`; until then nothing of
 *  the answer may be believed, its status neither. */
export async function verifyAnswer(
  answer: RawAnswer,
  sent: SentRequest,
  identity: IdentityPort,
): Promise<VerifiedAnswer> {
  const header = (name: string) => answer.headers.get(name)
  const { status, body, end } = answer
  // RFC 9110 §15: what lies beyond means nothing, and neither log nor application could tell it.
  if (status > 599) throw new Problem('answer-invalid', `the answer has the status ${status}`)
  const parts = end
    ? { status, header, trailer: (name: string) => end.trailers.get(name) }
    : { status, header, hasBody: body.length > 0 }
  const signature = parseResponseSignature(parts, sent)
  if (signature.did !== sent.holder) throw new Problem('answer-invalid', `the answer is signed by \`${signature.did}\``)
  verifyResponseSignature(signature, await keyOf(identity, signature.keyid, 'authentication'))
  try {
    verifyDigest(answer)
  } catch (cause) {
    throw new Problem('answer-invalid', 'the body is not the one that the holder signed', { cause })
  }
  return { signature, receipt: await verifyReceiptOf(answer, sent, identity) }
}

/** A streamed answer states its SHA-256, and nothing else counts: no other digest was computed while it came. */
function verifyDigest(answer: RawAnswer): void {
  const { body, end } = answer
  const stated = provingField(answer, 'content-digest')
  if (end === undefined) return verifyContentDigest(stated, body)
  const { sha256: digest } = parseContentDigest(stated ?? '')
  if (digest === undefined || !equalBytes(digest, end.hash)) {
    throw new Problem('digest-mismatch', 'the content does not have this `sha-256`')
  }
}

async function verifyReceiptOf(
  answer: RawAnswer,
  sent: SentRequest,
  identity: IdentityPort,
): Promise<VerifiedReceipt | undefined> {
  const jws = provingField(answer, 'comity-receipt')
  if (jws === undefined) {
    if (answer.status >= 400) return undefined
    throw new Problem('answer-invalid', 'the answer has no receipt')
  }
  const parsed = asInvalid(() => parseReceipt(jws))
  // Before the key is asked for: a partner must not make this node resolve DIDs of its choosing.
  checkReceipt(parsed.claims, answer, sent)
  const key = await keyOf(identity, parsed.kid, 'assertionMethod')
  asInvalid(() => verifyParsedReceipt(parsed, key))
  return { jws, claims: parsed.claims }
}

function asInvalid<T>(check: () => T): T {
  try {
    return check()
  } catch (cause) {
    if (cause instanceof Problem) throw new Problem('answer-invalid', cause.message, { cause })
    throw cause
  }
}
