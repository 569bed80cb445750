/** The three signatures in a bundle of evidence: the recipient's request, the holder's response, and the receipt
 *  between them. */
import { sha256Text } from '#crypto'
import { encodeBase64 } from '../bytes/base64.ts'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { presentedClaims } from '../consent-token/consent-authorization.ts'
import { checkAlgorithm, didOfKeyid, signatureLabel } from '../http-signatures/profile.ts'
import { parseContentDigest } from '../http-signatures/content-digest.ts'
import { parseSignatureBase, type ParsedBase } from '../http-signatures/parsed-base.ts'
import { requestTag } from '../http-signatures/profile-request.ts'
import { responseTag } from '../http-signatures/profile-response.ts'
import type { VerificationPurpose } from '../identity/did-document.ts'
import { Problem } from '../problems.ts'
import type { EvidenceBundle } from './evidence-bundle.ts'
import type { EvidenceChecks } from './evidence-checks.ts'
import type { EvidenceDocuments } from './evidence-documents.ts'
import { compositePath, compositeProduct } from './composite-parts.ts'
import { addressInPath, isAddressed } from './product-address.ts'
import { parseReceipt, verifyParsedReceipt, type ReceiptClaims } from './receipt.ts'

/** What every part of the bundle is checked with. The claims are the verified receipt's. */
export interface EvidencePart {
  readonly bundle: EvidenceBundle
  readonly claims: ReceiptClaims
  readonly documents: EvidenceDocuments
  readonly checks: EvidenceChecks
  readonly trustedVerifierKey?: string | undefined
}

/** How far the receipt's time may be from the request's, in seconds: clocks differ, a call may take minutes. */
const toleranceSeconds = { before: 90, after: 900 }

const failed = (detail: string, cause?: unknown) => new Problem('proof-invalid', detail, { cause })

/** Latest moment that a date can hold. */
const lastMs = 8.64e15

function timeText(ms: number): string {
  if (ms > lastMs) throw failed('a time lies beyond the calendar')
  return new Date(ms).toISOString()
}

/** Checks the receipt by itself; gives its claims when it verifies. */
export function checkReceipt(
  receipt: string,
  documents: EvidenceDocuments,
  checks: EvidenceChecks,
): ReceiptClaims | undefined {
  return checks.run('receipt-signature', () => {
    const parsed = parseReceipt(receipt)
    const { claims, kid } = parsed
    verifyParsedReceipt(parsed, documents.key(kid, claims.iss, { purposes: ['assertionMethod'], atMs: claims.time }))
    return [`\`${claims.iss}\` signed the receipt of exchange \`${claims.jti}\` with \`${kid}\``, claims]
  })
}

/** Checks that the recipient signed the request, and that the receipt is for this one. */
export function checkRequest(part: EvidencePart): void {
  const { bundle, claims, checks } = part
  const { request, erased } = bundle
  if (claims.key !== undefined && request?.signature === undefined) assumeAsked(claims, checks)
  if (request === undefined) {
    if (erased?.includes('request') === true)
      checks.erase('what the recipient signed', ['request-signature', 'request-hash', 'request-receipt', 'times'])
    else checks.assume('the bundle holds no request: only the receipt says who asked')
    return
  }
  checkWhoAsked(request, part)
  checks.run('request-hash', () => {
    if (sha256Text(request.base, 'base64url') !== claims.req) throw failed('the receipt is for another request')
    return ['the receipt is for exactly this request', undefined]
  })
  checks.run('request-receipt', () => {
    const differing = differingFrom(parseSignatureBase(request.base), claims)
    if (differing.length > 0) throw failed(`request and receipt disagree on ${differing.join(', ')}`)
    return ['the receipt names the product, agreement, purpose and consent that the request does', undefined]
  })
  // Only a signature says when it was made.
  if (request.signature === undefined) return
  checks.run('times', () => {
    const created = Number(parseSignatureBase(request.base).params.get('created'))
    const seconds = claims.time / 1000 - created
    if (!(seconds >= -toleranceSeconds.before && seconds <= toleranceSeconds.after)) {
      throw failed('the times of the request and of the receipt do not belong to one exchange')
    }
    return [`the exchange was decided at ${timeText(claims.time)}`, undefined]
  })
}

/** What a receipt says of the request beyond what the recipient signed is the holder's word alone: where both speak of the
 *  same thing, they must agree. An agreement that the request does not name is the holder's to choose. */
function differingFrom({ values }: ParsedBase, { prd, ver, agr, pur, con }: ReceiptClaims): readonly string[] {
  const path = values.get('"@path"')
  const agreement = values.get('"comity-agreement"')
  const isNamed =
    path === compositePath ? prd === compositeProduct : isAddressed(addressInPath(path ?? ''), { prd, ver })
  return [
    ...(path === undefined || isNamed ? [] : ['product']),
    ...(agr === undefined || agreement === undefined || agreement === agr ? [] : ['agreement']),
    ...(pur === undefined || pur === values.get('"comity-purpose"') ? [] : ['purpose']),
    ...(con === undefined || con.id === presentedClaims(values.get('"authorization"'))?.consent.id ? [] : ['consent']),
  ]
}

/** With an API key the caller proves itself to the holder alone: no check can be made of it here. */
function assumeAsked({ aud, iss, key }: ReceiptClaims, checks: EvidenceChecks): void {
  const who = `that \`${aud}\` asked, by the API key \`${key}\`, is the word of \`${iss}\` alone`
  checks.assume(`the caller's side is not signed: ${who}`)
}

function checkWhoAsked({ base, signature }: Request, part: EvidencePart): void {
  const { claims, checks } = part
  if (signature === undefined && claims.key !== undefined) return
  checks.run('request-signature', () => {
    if (signature === undefined) throw failed('the request is not signed, and the receipt names no API key')
    const who = { did: claims.aud, tag: requestTag, purposes: ['authentication'] as const }
    const { keyid, createdMs } = verifyBase({ base, signature }, who, part)
    return [`\`${claims.aud}\` signed the request with \`${keyid}\` at ${timeText(createdMs)}`, undefined]
  })
}

/** Checks that the holder signed the response, and that it answers this request and carried this receipt. */
export function checkResponse(part: EvidencePart): void {
  const { bundle, claims, checks } = part
  const { request, response, erased } = bundle
  if (erased?.includes('response') === true) {
    const names = ['response-signature', 'response-request', 'response-receipt', 'response-content']
    checks.erase('what the holder signed', names)
    return
  }
  if (response === undefined) {
    checks.assume('the bundle holds no response: only the receipt says what was answered')
    return
  }
  checks.run('response-signature', () => {
    const who = { did: claims.iss, tag: responseTag, purposes: ['authentication', 'assertionMethod'] as const }
    const { keyid } = verifyBase(response, who, part)
    return [`\`${claims.iss}\` signed the response with \`${keyid}\``, undefined]
  })
  if (request !== undefined) checkAnswersRequest(response.base, request, checks)
  else if (erased?.includes('request') === true) checks.erase('what the recipient signed', ['response-request'])
  checks.run('response-receipt', () => {
    if (ownField(parseSignatureBase(response.base), 'comity-receipt') !== bundle.receipt) {
      throw failed('the response carried another receipt')
    }
    return ['the response carried this receipt', undefined]
  })
  checks.run('response-content', () => {
    checkContent(parseSignatureBase(response.base), claims)
    return [`the receipt states the status ${claims.status} and the content that were answered`, undefined]
  })
}

function checkAnswersRequest(responseBase: string, request: Request, checks: EvidenceChecks): void {
  checks.run('response-request', () => {
    const [answered, sent] = [parseSignatureBase(responseBase), parseSignatureBase(request.base)]
    checkBinding(answered, sent, request.signature)
    return ['the response answers exactly this request, by its signature', undefined]
  })
}

type Request = NonNullable<EvidenceBundle['request']>

type Signed = NonNullable<EvidenceBundle['response']>

interface Signer {
  readonly did: string
  readonly tag: string
  readonly purposes: readonly VerificationPurpose[]
}

/** The key must be one that the signer's document named for that purpose when the signature says it was made. */
function verifyBase(
  { base, signature }: Signed,
  signer: Signer,
  { documents }: EvidencePart,
): { keyid: string; createdMs: number } {
  const { params } = parseSignatureBase(base)
  const [keyid, created] = [String(params.get('keyid')), params.get('created')]
  if (params.get('tag') !== signer.tag) throw failed(`the signature does not have the tag \`${signer.tag}\``)
  if (typeof created !== 'number') throw failed('the signature does not say when it was made')
  if (didOfKeyid(keyid) !== signer.did) throw failed(`\`${keyid}\` is not a key of \`${signer.did}\``)
  const createdMs = created * 1000
  const key = documents.key(keyid, signer.did, { purposes: signer.purposes, atMs: createdMs })
  if (key.algorithm !== checkAlgorithm(String(params.get('alg')))) throw failed('the key is for another algorithm')
  if (!key.verify(base, decodeBase64url(signature))) throw failed(`the signature of \`${keyid}\` does not verify`)
  return { keyid, createdMs }
}

const boundAlways = ['"@method"', '"@authority"', '"@path"', '"@query"']

function checkBinding(answered: ParsedBase, sent: ParsedBase, requestSignature: string | undefined): void {
  const bound = sent.values.has('"content-digest"') ? [...boundAlways, '"content-digest"'] : boundAlways
  for (const identifier of bound) {
    if (sent.values.get(identifier) === undefined) throw failed(`the request was signed without ${identifier}`)
    if (answered.values.get(`${identifier};req`) !== sent.values.get(identifier)) {
      throw failed(`the response is bound to another ${identifier}`)
    }
  }
  if (requestSignature === undefined) return
  const signature = [...answered.values].find(([identifier]) => identifier.startsWith('"signature";req;key='))
  const expected = `:${encodeBase64(decodeBase64url(requestSignature))}:`
  if (signature?.[1] !== expected) {
    throw failed(`the response is not bound to the request's signature \`${signatureLabel}\``)
  }
}

/** The field as the response had it: of a streamed one it is a trailer field. Both would be two readings. */
function ownField({ values }: Pick<ParsedBase, 'values'>, name: string): string | undefined {
  const [head, trailer] = [values.get(`"${name}"`), values.get(`"${name}";tr`)]
  if (head !== undefined && trailer !== undefined) throw failed(`the response has two fields \`${name}\``)
  return head ?? trailer
}

function checkContent({ values }: ParsedBase, claims: ReceiptClaims): void {
  if (values.get('"@status"') !== String(claims.status)) throw failed('the response had another status')
  const digest = ownField({ values }, 'content-digest')
  const hash = digest === undefined ? sha256Text('', 'base64url') : sha256Of(digest)
  if (hash !== claims.res) throw failed('the response had other content')
}

function sha256Of(contentDigest: string): string {
  const { sha256 } = parseContentDigest(contentDigest)
  if (sha256 === undefined) throw failed('the response states no SHA-256 of its content')
  return encodeBase64url(sha256)
}
