/** Comity's request signature: RFC 9421 with a fixed covered list, tag `comity-req`, at most 60 s of life and a nonce.
 *
 *      Signature-Input: comity=("@method" "@authority" "@path" "@query" "comity-purpose");created=1718000000
 *        ;expires=1718000060;nonce="mZ3vNn0zTq1bq2yQw5d7Jg";keyid="did:web:lab.example#k1";alg="ed25519";tag="comity-req"
 */
import { decodeBase64, encodeBase64 } from '../bytes/base64.ts'
import type { SigningKey, VerifyingKey } from '../crypto/crypto.ts'
import { Problem } from '../problems.ts'
import { hasBody, type RequestParts } from './message.ts'
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
  type MadeSignature,
  type ProfileSignature,
} from './profile.ts'

/** Tag of request signatures; another version of the profile gets another tag. */
export const requestTag = 'comity-req'

/** Longest time between `created` and `expires`, in seconds. */
export const maxRequestLifetimeSeconds = 60

/** A request's signature as it was read, whatever kind of key made it. */
export interface ReadSignature extends Omit<ProfileSignature, 'did' | 'alg'> {
  readonly alg: string
  /** Seconds since the Unix epoch. */
  readonly expires: number
  readonly nonce: string
}

/** A participant's signature of a request, read but not yet verified. */
export interface RequestSignature extends ProfileSignature {
  /** Seconds since the Unix epoch. */
  readonly expires: number
  readonly nonce: string
}

const method = coveredField('@method')
const authority = coveredField('@authority')
const path = coveredField('@path')
const query = coveredField('@query')
const contentDigest = coveredField('content-digest')
const fields = [
  coveredField('content-type'),
  contentDigest,
  coveredField('authorization'),
  coveredField('idempotency-key'),
  coveredField('comity-agreement'),
  coveredField('comity-purpose'),
  coveredField('comity-subject'),
  coveredField('comity-actor'),
  coveredField('comity-accept-sealing'),
  coveredField('if-none-match'),
  coveredField('comity-sequence'),
]
const alwaysListed = `(${[method, authority, path, query].map(({ identifier }) => identifier).join(' ')}`

/** What a signature of this request covers. Throws `signature-coverage` when there is a body without a digest. */
export function requestCoverage(parts: RequestParts): Coverage {
  let list = alwaysListed
  let lines =
    baseLine(method, parts.method) +
    baseLine(authority, parts.authority) +
    baseLine(path, parts.path) +
    baseLine(query, parts.query)
  for (const field of fields) {
    const value = parts.header(field.name)
    if (value !== undefined) {
      list += field.listed
      lines += baseLine(field, value)
    } else if (field === contentDigest && hasBody(parts)) {
      throw uncovered([contentDigest.identifier])
    }
  }
  return { list: `${list})`, lines }
}

/** How to sign a request. Times are in seconds since the epoch; the nonce is base64url of 16 to 64 random bytes. */
export interface RequestSigning {
  readonly key: SigningKey
  readonly keyid: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly nonce: string
}

/** Signs a request. Throws `signature-malformed` when the result would be one that verifiers refuse. */
export function signRequest(parts: RequestParts, { key, ...signing }: RequestSigning): MadeSignature {
  didOfKeyid(signing.keyid)
  return makeSignature(parts, { ...signing, alg: key.algorithm, sign: (base) => key.sign(base) })
}

/** The same by whatever means. Throws `signature-malformed` likewise; `keyid` is the caller's to have checked. */
export function makeSignature(
  parts: RequestParts,
  signing: Omit<RequestSigning, 'key'> & { readonly alg: string; readonly sign: (base: string) => Uint8Array },
): MadeSignature {
  const { keyid, alg, createdAt, expiresAt, nonce } = signing
  checkWindow(createdAt, expiresAt)
  checkNonce(nonce)
  const coverage = requestCoverage(parts)
  const signatureParams = `${coverage.list};created=${createdAt};expires=${expiresAt};nonce="${nonce}";keyid="${keyid}";alg="${alg}";tag="${requestTag}"`
  const base = baseOf(coverage, signatureParams)
  return {
    signatureInput: `${signatureLabel}=${signatureParams}`,
    signature: `${signatureLabel}=:${encodeBase64(signing.sign(base))}:`,
    base,
  }
}

/** Reads the signature of a request, chosen by its tag, and checks all of the profile but time and key. Throws
 *  `signature-missing`, `signature-malformed`, `signature-coverage` or `signature-algorithm`. */
export function parseRequestSignature(parts: RequestParts): RequestSignature {
  return participantSignature(readRequestSignature(parts))
}

/** The signature as one of a participant. Throws `signature-malformed` for another `keyid`, `signature-algorithm`. */
export function participantSignature(read: ReadSignature): RequestSignature {
  return { ...read, did: didOfKeyid(read.keyid), alg: checkAlgorithm(read.alg) }
}

/** Reads the signature of a request like `parseRequestSignature`, whatever key and algorithm it names. */
export function readRequestSignature(parts: RequestParts): ReadSignature {
  const input = parts.header('signature-input')
  const signature = parts.header('signature')
  if (input === undefined && signature === undefined) throw new Problem('signature-missing', 'there is no signature')
  if (input === undefined || signature === undefined) {
    throw new Problem('signature-malformed', '`Signature-Input` and `Signature` go together')
  }
  const coverage = requestCoverage(parts)
  return parseCanonical(input, signature, coverage) ?? parseAny(input, signature, coverage)
}

const canonicalInput =
  /^comity=(\([^()]*\));created=(0|[1-9]\d{0,14});expires=(0|[1-9]\d{0,14});nonce="([\w-]{22,86})";keyid="([^"\\]+)";alg="([\w-]+)";tag="comity-req"$/

/** The exact text that nodes send, read by one expression. INVARIANT: where it gives a result, `parseAny` gives the
 *  same; where it gives none, `parseAny` decides. */
function parseCanonical(input: string, signature: string, coverage: Coverage): ReadSignature | undefined {
  const [, encoded] = canonicalSignature.exec(signature) ?? []
  const [, list, created, expires, nonce = '', keyid = '', alg = ''] = canonicalInput.exec(input) ?? []
  if (encoded === undefined || list !== coverage.list) return undefined
  const signatureParams = input.slice(signatureLabel.length + 1)
  return checked(
    { label: signatureLabel, signatureParams, signature: decodeBase64(encoded) },
    { created: Number(created), expires: Number(expires), nonce, keyid, alg },
    coverage,
  )
}

const paramNames = ['created', 'expires', 'nonce', 'keyid', 'alg', 'tag']

function parseAny(input: string, signature: string, coverage: Coverage): ReadSignature {
  const found = pickByTag({ input, signature }, requestTag, paramNames)
  checkCoverage(found, coverage)
  const { params } = found
  const values = {
    created: secondsParam(params, 'created'),
    expires: secondsParam(params, 'expires'),
    nonce: textParam(params, 'nonce'),
    keyid: textParam(params, 'keyid'),
    alg: textParam(params, 'alg'),
  }
  return checked(found, values, coverage)
}

interface ParamValues {
  readonly created: number
  readonly expires: number
  readonly nonce: string
  readonly keyid: string
  readonly alg: string
}

function checked(
  found: { readonly label: string; readonly signatureParams: string; readonly signature: Uint8Array },
  { created, expires, nonce, keyid, alg }: ParamValues,
  coverage: Coverage,
): ReadSignature {
  checkWindow(created, expires)
  checkNonce(nonce)
  return {
    label: found.label,
    keyid,
    alg,
    created,
    expires,
    nonce,
    components: coverage.list,
    signature: found.signature,
    base: baseOf(coverage, found.signatureParams),
  }
}

function checkWindow(created: number, expires: number): void {
  if (!Number.isInteger(created) || !Number.isInteger(expires) || expires < created) {
    throw new Problem('signature-malformed', '`expires` must not be before `created`, both in whole seconds')
  }
  if (expires > created + maxRequestLifetimeSeconds) {
    throw new Problem(
      'signature-malformed',
      `\`expires\` may be at most ${maxRequestLifetimeSeconds} s after \`created\``,
    )
  }
}

const base64url = /^[A-Za-z0-9_-]{22,86}$/

/** 16 to 64 bytes in base64url: 22 to 86 characters, of which no count leaves a remainder of 1. */
function checkNonce(nonce: string): void {
  if (!base64url.test(nonce) || nonce.length % 4 === 1) {
    throw new Problem('signature-malformed', '`nonce` must be base64url of 16 to 64 random bytes')
  }
}

/** Verifies what `parseRequestSignature` gave. Throws `signature-algorithm` when the key is for another algorithm,
 *  `signature-invalid` when the signature is not the key's over this request. */
export function verifyRequestSignature(signature: RequestSignature, key: VerifyingKey): void {
  if (!verifiesWith(signature, key)) {
    throw new Problem('signature-invalid', `the signature is not the key's over this request`)
  }
}
