/** The envelope: a JWE in compact serialisation (RFC 7516 §7.1), as content of the type `application/comity-sealed`. Its
 *  header says what it is and which exchange it belongs to; the cipher authenticates the header with the content.
 *
 *      { "alg": "HPKE-9", "kid": "did:web:lab.example#agree-hybrid-6mM3", "typ": "comity-answer", "bnd": "…43 characters…" } */
import { sha256Text } from '#crypto'
import { z } from 'zod'
import { decodeBase64url, encodeBase64urlText } from '../bytes/base64url.ts'
import { parseJson } from '../bytes/json.ts'
import { Problem } from '../problems.ts'
import { isSealingAlgorithm, type SealingAlgorithm } from './sealing-algorithms.ts'

/** The media type of sealed content. */
export const sealedMediaType = 'application/comity-sealed'

/** What an envelope holds: one cannot be passed off as the other. */
export type EnvelopeType = 'comity-request' | 'comity-answer'

/** What the header says, beside what the algorithm needs. */
export interface EnvelopeHead {
  readonly alg: SealingAlgorithm
  /** DID URL of the key that opens it. */
  readonly kid: string
  readonly typ: EnvelopeType
  /** What it is bound to: SHA-256 in base64url. */
  readonly bnd: string
}

/** An envelope that was read and not yet opened; parts are decoded. */
export interface ParsedEnvelope extends EnvelopeHead {
  /** Of `ECDH-ES+A256KW`: the sender's point, 32 bytes. */
  readonly epk: Uint8Array | undefined
  /** The first part as it was sent, which the cipher authenticates. */
  readonly protectedText: string
  readonly encryptedKey: Uint8Array
  readonly iv: Uint8Array
  readonly ciphertext: Uint8Array
  readonly tag: Uint8Array
}

const maxHeaderLength = 4_096
const hash = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const head = {
  kid: z.string().min(1).max(1_024),
  typ: z.literal('comity-request').or(z.literal('comity-answer')),
  bnd: hash,
}
const headerSchema = z.union([
  z.strictObject({ alg: z.enum(['HPKE-9', 'HPKE-3']), ...head }),
  z.strictObject({
    alg: z.literal('ECDH-ES+A256KW'),
    enc: z.literal('A256GCM'),
    epk: z.strictObject({ kty: z.literal('OKP'), crv: z.literal('X25519'), x: hash }),
    ...head,
  }),
])

/** The header as the first part of an envelope. */
export function encodeHead(header: EnvelopeHead & { readonly enc?: string; readonly epk?: object }): string {
  return encodeBase64urlText(JSON.stringify(header))
}

/** The algorithm that an envelope states, so that one which is not accepted can be named; undefined for what is none. */
export function statedAlgorithm(text: string): SealingAlgorithm | undefined {
  try {
    const { alg } = headerOf(text.slice(0, Math.max(0, text.indexOf('.', 0))))
    return isSealingAlgorithm(alg) ? alg : undefined
  } catch {
    return undefined
  }
}

function headerOf(encoded: string): { readonly alg?: unknown } {
  if (encoded.length === 0 || encoded.length > maxHeaderLength) throw unreadable()
  const json = new TextDecoder('utf-8', { fatal: true }).decode(decodeBase64url(encoded))
  return parseJson(json) as { readonly alg?: unknown }
}

/** Reads an envelope. Throws `unseal-failed` for anything that is not exactly one. */
export function parseEnvelope(text: string): ParsedEnvelope {
  const parts = text.split('.', 6)
  if (parts.length !== 5) throw unreadable()
  const [protectedText = '', ...rest] = parts
  try {
    const header = headerSchema.parse(headerOf(protectedText))
    const [encryptedKey, iv, ciphertext, tag] = rest.map(decodeBase64url) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    const { alg, kid, typ, bnd } = header
    const epk = 'epk' in header ? decodeBase64url(header.epk.x) : undefined
    return { alg, kid, typ, bnd, epk, protectedText, encryptedKey, iv, ciphertext, tag }
  } catch (cause) {
    throw unreadable(cause)
  }
}

/** Longest envelope of content of so many bytes. */
export function sealedLength(contentBytes: number): number {
  return Math.ceil(((contentBytes + 40_000) * 4) / 3)
}

/** What a request is, beside its body. */
export interface RequestIdentity {
  readonly method: string
  readonly authority: string
  readonly path: string
  readonly query: string
  /** Of the request's signature. */
  readonly keyid: string
  readonly nonce: string
}

/** What a sealed request body is bound to: this one request by this one caller. The signature over the request covers the
 *  digest of the envelope, so each holds the other. */
export function requestBinding({ method, authority, path, query, keyid, nonce }: RequestIdentity): string {
  const kind: EnvelopeType = 'comity-request'
  return sha256Text([kind, method, authority, path, query, keyid, nonce].join('\n'), 'base64url')
}

/** What a sealed answer is bound to: the signature base of the request, all that was asked and by whom. */
export function answerBinding(requestBase: string): string {
  return sha256Text(requestBase, 'base64url')
}

function unreadable(cause?: unknown): Problem {
  return new Problem('unseal-failed', 'the sealed content cannot be opened', { cause })
}
