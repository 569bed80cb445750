/** Comity's response signature: RFC 9421 with tag `comity-res`, bound by `;req` components to the request that was
 *  sent, its signature included.
 *
 *      Signature-Input: comity=("@status" "content-type" "content-digest" "comity-receipt" "@method";req
 *        "@authority";req "@path";req "@query";req "signature";req;key="comity");created=1718000001
 *        ;keyid="did:web:federation.example#k1";alg="ed25519";tag="comity-res"
 *
 *  Of an answer that is streamed the digest, the receipt and the signature are known at its end only: they are trailer
 *  fields (RFC 9110 §6.5), and the signature covers `"content-digest";tr "comity-receipt";tr` in the place of the two. */
import { decodeBase64, encodeBase64 } from '../bytes/base64.ts'
import type { SigningKey, VerifyingKey } from '../crypto/crypto.ts'
import { Problem } from '../problems.ts'
import { componentOf, componentValue } from './components.ts'
import { hasBody, type RequestParts, type ResponseParts } from './message.ts'
import {
  baseLine,
  baseOf,
  canonicalSignature,
  checkAlgorithm,
  checkCoverage,
  coveredField,
  didOfKeyid,
  pickByTag,
  secondsParam,
  signatureLabel,
  textParam,
  uncovered,
  verifiesWith,
  type Coverage,
  type CoveredField,
  type MadeSignature,
  type ProfileSignature,
} from './profile.ts'

/** Tag of response signatures. */
export const responseTag = 'comity-res'

/** A response's signature, read but not yet verified. */
export type ResponseSignature = ProfileSignature

/** The request that a response answers, as it was sent. */
export interface AnsweredRequest {
  readonly parts: RequestParts
  /** Raw value of the request's field `Signature`; absent when the request was not signed. */
  readonly signatureHeader?: string | undefined
  /** Label of the request's signature, when it is not `comity`. */
  readonly label?: string
}

const status = coveredField('@status')
const contentDigest = coveredField('content-digest')
const contentType = coveredField('content-type')
const etag = coveredField('etag')
const ownFields = [contentType, contentDigest, coveredField('comity-receipt'), etag]
const streamedDigest = coveredField('content-digest', ';tr')
const streamedFields = [contentType, streamedDigest, coveredField('comity-receipt', ';tr'), etag]
const headFields: ReadonlySet<CoveredField> = new Set(ownFields)

/** The trailer fields of a streamed answer, which its field `Trailer` announces (RFC 9110 §6.6.2). None of them may
 *  stand in its head too. */
export const answerTrailers = ['content-digest', 'comity-receipt', 'signature-input', 'signature'] as const
const requestMethod = coveredField('@method', ';req')
const requestAuthority = coveredField('@authority', ';req')
const requestPath = coveredField('@path', ';req')
const requestQuery = coveredField('@query', ';req')
const requestDigest = coveredField('content-digest', ';req')
const requestListed = [requestMethod, requestAuthority, requestPath, requestQuery].map(({ listed }) => listed).join('')

/** What a signature of this response to this request covers; one that has `trailer` is a streamed one. Throws
 *  `signature-coverage` when there is a body without a digest, `signature-malformed` when the request's signature cannot
 *  be read, or a field stands in the head that belongs into the trailers. */
export function responseCoverage(response: ResponseParts, request: AnsweredRequest): Coverage {
  const isStreamed = response.trailer !== undefined
  if (isStreamed) refuseEarly(response)
  let list = `(${status.identifier}`
  let lines = baseLine(status, String(response.status))
  for (const field of isStreamed ? streamedFields : ownFields) {
    const value = headFields.has(field) ? response.header(field.name) : response.trailer?.(field.name)
    if (value !== undefined) {
      list += field.listed
      lines += baseLine(field, value)
    } else if (field === streamedDigest || (field === contentDigest && answerHasBody(response, request))) {
      throw uncovered([field.identifier])
    }
  }
  const bound = requestPart(request)
  return { list: `${list}${bound.list})`, lines: lines + bound.lines }
}

/** Two digests, receipts or signatures would be two readings of one answer. */
function refuseEarly(response: ResponseParts): void {
  const early = answerTrailers.find((name) => response.header(name) !== undefined)
  if (early === undefined) return
  throw new Problem('signature-malformed', `the field \`${early}\` of a streamed answer stands in its head`)
}

/** Some answers have no content whatever their framing fields say (RFC 9110 §6.4.1). */
function answerHasBody(response: ResponseParts, { parts }: AnsweredRequest): boolean {
  if (response.hasBody !== undefined) return response.hasBody
  const never = parts.method === 'HEAD' || response.status === 204 || response.status === 304
  return !never && hasBody(response)
}

function requestPart(request: AnsweredRequest): Coverage {
  const { parts } = request
  let list = requestListed
  let lines =
    baseLine(requestMethod, parts.method) +
    baseLine(requestAuthority, parts.authority) +
    baseLine(requestPath, parts.path) +
    baseLine(requestQuery, parts.query)
  const digest = parts.header('content-digest')
  if (digest !== undefined) {
    list += requestDigest.listed
    lines += baseLine(requestDigest, digest)
  }
  if (request.signatureHeader !== undefined) {
    const label = request.label ?? signatureLabel
    const signature = coveredField('signature', `;req;key="${label}"`)
    list += signature.listed
    lines += `${signature.linePrefix}${requestSignatureValue(request.signatureHeader, label)}\n`
  }
  return { list, lines }
}

/** The member of the request's `Signature` as `"signature";req;key="…"` has it: `:base64:`. */
function requestSignatureValue(header: string, label: string): string {
  if (label === signatureLabel && canonicalSignature.test(header)) return header.slice(signatureLabel.length + 1)
  const fields = { status: 0, header: (name: string) => (name === 'signature' ? header : undefined) }
  return componentValue(componentOf(`"signature";key="${label}"`), { response: fields })
}

/** How to sign a response. `createdAt` is in seconds since the epoch. */
export interface ResponseSigning {
  readonly key: SigningKey
  readonly keyid: string
  readonly createdAt: number
}

/** Signs a response to a request. Throws `signature-coverage` or `signature-malformed` when the result would be one
 *  that verifiers refuse. */
export function signResponse(
  response: ResponseParts,
  request: AnsweredRequest,
  { key, keyid, createdAt }: ResponseSigning,
): MadeSignature {
  didOfKeyid(keyid)
  if (!Number.isInteger(createdAt)) throw new Problem('signature-malformed', '`created` must be whole seconds')
  const coverage = responseCoverage(response, request)
  const signatureParams = `${coverage.list};created=${createdAt};keyid="${keyid}";alg="${key.algorithm}";tag="${responseTag}"`
  const base = baseOf(coverage, signatureParams)
  return {
    signatureInput: `${signatureLabel}=${signatureParams}`,
    signature: `${signatureLabel}=:${encodeBase64(key.sign(base))}:`,
    base,
  }
}

/** Reads the signature of a response, chosen by its tag, and checks that it covers exactly what it must of the
 *  response and of the request that was sent. Throws `answer-unsigned`, `answer-unbound` when it leaves out parts of
 *  the request, `answer-invalid` for all else. */
export function parseResponseSignature(response: ResponseParts, request: AnsweredRequest): ResponseSignature {
  try {
    return read(response, request)
  } catch (error) {
    throw asAnswerProblem(error)
  }
}

function read(response: ResponseParts, request: AnsweredRequest): ResponseSignature {
  const field = response.trailer === undefined ? response.header : response.trailer
  const input = field.call(response, 'signature-input')
  const signature = field.call(response, 'signature')
  if (input === undefined || signature === undefined) {
    throw new Problem('signature-missing', 'the answer has no signature')
  }
  const coverage = responseCoverage(response, request)
  return parseCanonical(input, signature, coverage) ?? parseAny(input, signature, coverage)
}

const canonicalInput =
  /^comity=(\([^()]*\));created=(0|[1-9]\d{0,14});keyid="([^"\\]+)";alg="([\w-]+)";tag="comity-res"$/

/** INVARIANT: where it gives a result, `parseAny` gives the same; where it gives none, `parseAny` decides. */
function parseCanonical(input: string, signature: string, coverage: Coverage): ResponseSignature | undefined {
  const [, encoded] = canonicalSignature.exec(signature) ?? []
  const [, list, created, keyid = '', alg = ''] = canonicalInput.exec(input) ?? []
  if (encoded === undefined || list !== coverage.list) return undefined
  const signatureParams = input.slice(signatureLabel.length + 1)
  return checked(
    { label: signatureLabel, signatureParams, signature: decodeBase64(encoded) },
    { created: Number(created), keyid, alg },
    coverage,
  )
}

const paramNames = ['created', 'keyid', 'alg', 'tag']

function parseAny(input: string, signature: string, coverage: Coverage): ResponseSignature {
  const found = pickByTag({ input, signature }, responseTag, paramNames)
  checkCoverage(found, coverage)
  const { params } = found
  const values = {
    created: secondsParam(params, 'created'),
    keyid: textParam(params, 'keyid'),
    alg: textParam(params, 'alg'),
  }
  return checked(found, values, coverage)
}

function checked(
  found: { readonly label: string; readonly signatureParams: string; readonly signature: Uint8Array },
  { created, keyid, alg }: { readonly created: number; readonly keyid: string; readonly alg: string },
  coverage: Coverage,
): ResponseSignature {
  return {
    label: found.label,
    keyid,
    did: didOfKeyid(keyid),
    alg: checkAlgorithm(alg),
    created,
    components: coverage.list,
    signature: found.signature,
    base: baseOf(coverage, found.signatureParams),
  }
}

/** Verifies what `parseResponseSignature` gave. Throws `answer-invalid`. */
export function verifyResponseSignature(signature: ResponseSignature, key: VerifyingKey): void {
  try {
    if (verifiesWith(signature, key)) return
  } catch (error) {
    throw asAnswerProblem(error)
  }
  throw new Problem('answer-invalid', `the signature is not the key's over this answer and the request that was sent`)
}

/** The recipient's application reads of an answer, not of a request, and of a partner's fault, not of its own. */
function asAnswerProblem(error: unknown): unknown {
  if (!(error instanceof Problem)) return error
  if (error.code === 'signature-missing') return new Problem('answer-unsigned', error.message, { cause: error })
  const missing = error.members['missing']
  const unbound = Array.isArray(missing) && missing.some((identifier) => String(identifier).includes(';req'))
  return new Problem(unbound ? 'answer-unbound' : 'answer-invalid', error.message, {
    cause: error,
    members: error.members,
  })
}
