/** Receipts: a holder's signed statement about one exchange, a compact JWS of type `comity-receipt+jwt`.
 *
 *      { "iss": "did:web:federation.example", "aud": "did:web:lab.example", "jti": "0190…", "iat": 1718000001,
 *        "time": 1718000001234, "req": "…", "res": "…", "status": 200, "prd": "athletes", "ver": "1.0.0",
 *        "log": "federation.example/log", "leaf": "…" } */
import { z } from 'zod'
import { parseJson } from '../bytes/json.ts'
import type { SigningKey, VerifyingKey } from '../crypto/crypto.ts'
import { didOfKeyId } from '../identity/did.ts'
import { compactJwsSigner, parseCompactJws, verifyCompactJws, type ParsedJws } from '../jws/compact.ts'
import { Problem } from '../problems.ts'
import { sealingClaimsSchema, type SealingClaims } from '../sealing/sealing-claims.ts'
import { partClaimsListSchema, type PartClaims } from './composite-parts.ts'

/** The `typ` of a receipt's header. */
export const receiptType = 'comity-receipt+jwt'

/** Longest receipt that is read, in characters: it travels in one header field. */
export const maxReceiptLength = 8 * 1024

const text = z.string().min(1).max(2048)
const hash = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/)
const names = z.array(text).max(256)

const claimsSchema = z.strictObject({
  iss: text,
  aud: text,
  key: text.optional(),
  jti: text,
  iat: z.int().nonnegative(),
  time: z.int().nonnegative(),
  req: hash,
  res: hash,
  status: z.int().min(100).max(599),
  prd: text,
  ver: text,
  op: text.optional(),
  agr: text.optional(),
  pur: text.optional(),
  con: z.strictObject({ id: text, rev: z.int().nonnegative(), hash }).optional(),
  via: z.array(text).max(16).optional(),
  pol: names.optional(),
  rel: names.optional(),
  wit: names.optional(),
  fld: hash.optional(),
  parts: partClaimsListSchema.optional(),
  pth: hash.optional(),
  sea: sealingClaimsSchema.optional(),
  log: text,
  leaf: hash,
})

/** What a receipt says. Hashes are SHA-256 in base64url. */
export interface ReceiptClaims {
  /** DID of the holder. */
  readonly iss: string
  /** DID of the recipient. */
  readonly aud: string
  /** Public id of the API key that the caller came with: the recipient did not sign the request. */
  readonly key?: string | undefined
  /** Id of the exchange. */
  readonly jti: string
  /** When it was issued, in seconds since the epoch. */
  readonly iat: number
  /** When the exchange was decided, in milliseconds since the epoch. */
  readonly time: number
  /** Hash of the request's signature base; with `key` it is the holder's word alone that this was asked. */
  readonly req: string
  /** Hash of the response's content. */
  readonly res: string
  readonly status: number
  /** Id and version of the product. */
  readonly prd: string
  readonly ver: string
  /** Operation of the product's description. */
  readonly op?: string | undefined
  /** Id of the agreement, and the purpose's IRI. */
  readonly agr?: string | undefined
  readonly pur?: string | undefined
  /** The consent record: id, revision and hash. */
  readonly con?: { readonly id: string; readonly rev: number; readonly hash: string } | undefined
  /** DIDs from the consent's recipient to `aud`, who acted by delegation. */
  readonly via?: readonly string[] | undefined
  /** Ids of the policies that decided; fields released and withheld. */
  readonly pol?: readonly string[] | undefined
  readonly rel?: readonly string[] | undefined
  readonly wit?: readonly string[] | undefined
  /** Instead of lists that are too long: their hash (`field-lists.ts`). */
  readonly fld?: string | undefined
  /** Of a composite: its parts, or instead of a list that is too long its hash (`composite-parts.ts`). */
  readonly parts?: readonly PartClaims[] | undefined
  readonly pth?: string | undefined
  /** What was sealed: the algorithm, and the salted commitment to what was inside (`sealing/sealed-content.ts`). */
  readonly sea?: SealingClaims | undefined
  /** Origin of the holder's log, and the RFC 6962 leaf hash under which the exchange stands in it. */
  readonly log: string
  readonly leaf: string
}

/** A receipt that was read and not yet verified. */
export interface ParsedReceipt {
  readonly claims: ReceiptClaims
  /** DID URL of the key that must have signed it; below `claims.iss`. */
  readonly kid: string
  readonly jws: ParsedJws
}

/** Signs receipts with one key; its header is encoded once. The claims' `iss` must be the DID of `kid`: the result
 *  throws `receipt-invalid` otherwise. */
export function receiptSigner(key: SigningKey, kid: string): (claims: ReceiptClaims) => string {
  const did = didOfKeyId(kid)
  const sign = compactJwsSigner(key, { typ: receiptType, kid })
  return (claims) => {
    if (claims.iss !== did) throw invalid(`the key \`${kid}\` is not the issuer's`)
    return sign(JSON.stringify(claims))
  }
}

/** Signs one receipt, as `receiptSigner` does. */
export function signReceipt(claims: ReceiptClaims, key: SigningKey, kid: string): string {
  return receiptSigner(key, kid)(claims)
}

/** Reads a receipt. Throws `receipt-invalid` for another type, unknown, missing or malformed claims, and for a key
 *  that is not the issuer's. */
export function parseReceipt(receipt: string): ParsedReceipt {
  const jws = asInvalid(() => parseCompactJws(receipt, { maxLength: maxReceiptLength, typ: receiptType }))
  const { kid } = jws.header
  if (kid === undefined) throw invalid('the receipt names no key')
  const parsed = claimsSchema.safeParse(asInvalid(() => parseJson(jws.payloadText)))
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') ?? ''
    throw invalid(path === '' ? 'the claims are malformed' : `the claim \`${path}\` is malformed`, parsed.error)
  }
  if (asInvalid(() => didOfKeyId(kid)) !== parsed.data.iss) throw invalid(`the key \`${kid}\` is not the issuer's`)
  return { claims: parsed.data, kid, jws }
}

/** Verifies what `parseReceipt` gave. Throws `receipt-invalid`. */
export function verifyParsedReceipt({ jws }: ParsedReceipt, key: VerifyingKey): void {
  asInvalid(() => verifyCompactJws(jws, key))
}

/** Reads and verifies a receipt; `resolveKey` gives the key of a DID URL. Throws `receipt-invalid`, and what
 *  `resolveKey` throws. */
export function verifyReceipt(receipt: string, resolveKey: (kid: string) => VerifyingKey): ReceiptClaims {
  const parsed = parseReceipt(receipt)
  verifyParsedReceipt(parsed, resolveKey(parsed.kid))
  return parsed.claims
}

function asInvalid<T>(run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof Problem) throw invalid(cause.message, cause)
    throw cause
  }
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('receipt-invalid', detail, { cause })
}
