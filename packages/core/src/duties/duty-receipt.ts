/** Duty receipts: a debtor's signed statement that what it owed about a person's data is done, or why it will not be.
 *  For a duty of kind `delete` it is the deletion receipt. A compact JWS of type `comity-duty-receipt+jwt`:
 *
 *      { "iss": "did:web:lab.example", "aud": "did:web:federation.example", "iat": 1718000001, "duty": "0190…",
 *        "kind": "delete", "consent": "urn:uuid:…", "sub": "ps_…", "outcome": "deleted", "at": 1718000000123 } */
import { z } from 'zod'
import { parseJson } from '../bytes/json.ts'
import type { SigningKey, VerifyingKey } from '../crypto/crypto.ts'
import { didOfKeyId } from '../identity/did.ts'
import { parseCompactJws, signCompactJws, verifyCompactJws, type ParsedJws } from '../jws/compact.ts'
import { Problem } from '../problems.ts'

export const dutyReceiptType = 'comity-duty-receipt+jwt'
/** Longest receipt that is read, in characters. */
export const maxDutyReceiptLength = 12_288

export const dutyKinds = [
  'delete',
  'anonymise',
  'erase',
  'rectify',
  'restrict',
  'lift-restriction',
  'object',
  'access',
  'port',
] as const
export type DutyKind = (typeof dutyKinds)[number]

/** How a duty ended. `retained`: a law demands that the data is kept. `none-held`: there was nothing to do it to. */
export const dutyOutcomes = [
  'deleted',
  'anonymised',
  'rectified',
  'restricted',
  'lifted',
  'stopped',
  'handed-over',
  'none-held',
  'retained',
  'refused',
] as const
export type DutyOutcome = (typeof dutyOutcomes)[number]

const fulfilling: Readonly<Record<DutyKind, readonly DutyOutcome[]>> = {
  delete: ['deleted', 'none-held'],
  anonymise: ['anonymised', 'deleted', 'none-held'],
  erase: ['deleted', 'none-held'],
  rectify: ['rectified', 'deleted', 'none-held'],
  restrict: ['restricted', 'deleted', 'none-held'],
  'lift-restriction': ['lifted', 'none-held'],
  object: ['stopped', 'deleted', 'none-held'],
  access: ['handed-over', 'none-held'],
  port: ['handed-over', 'none-held'],
}

/** True when this outcome does what was owed. */
export function fulfils(kind: DutyKind, outcome: DutyOutcome): boolean {
  return fulfilling[kind].includes(outcome)
}

/** True for what may stand in a receipt of this kind: what fulfils it, and what says why not. */
export function isPossibleOutcome(kind: DutyKind, outcome: DutyOutcome): boolean {
  return fulfils(kind, outcome) || outcome === 'refused' || outcome === 'retained'
}

export interface DutyReceiptClaims {
  /** DID of the debtor. */
  readonly iss: string
  /** DID of the holder. */
  readonly aud: string
  /** Seconds. */
  readonly iat: number
  /** Id of the duty. */
  readonly duty: string
  readonly kind: DutyKind
  readonly consent?: string | undefined
  /** The subject's pairwise id, as the duty named it. */
  readonly sub: string
  readonly outcome: DutyOutcome
  /** Why not, or by which law: needed with `refused` and `retained`. */
  readonly ground?: string | undefined
  /** When it was done, in milliseconds since the epoch. */
  readonly at: number
  /** Of the copies of the holder's answers that the debtor's node itself kept: how many were removed, and when the last
   *  of them was, in milliseconds since the epoch. Absent when there were none. */
  readonly replicas?: RemovedReplicas | undefined
}

export interface RemovedReplicas {
  readonly removed: number
  readonly at: number
}

export interface ParsedDutyReceipt {
  readonly claims: DutyReceiptClaims
  /** DID URL of the key; of the DID that `iss` names. */
  readonly kid: string
  readonly jws: ParsedJws
}

const text = z.string().min(1).max(2048)
const claimsSchema = z
  .strictObject({
    iss: text,
    aud: text,
    iat: z.int().nonnegative(),
    duty: text,
    kind: z.enum(dutyKinds),
    consent: text.optional(),
    sub: text,
    outcome: z.enum(dutyOutcomes),
    ground: z.string().min(1).max(1000).optional(),
    at: z.int().nonnegative(),
    replicas: z.strictObject({ removed: z.int().min(1), at: z.int().nonnegative() }).optional(),
  })
  .refine(({ kind, outcome }) => isPossibleOutcome(kind, outcome), { path: ['outcome'], error: 'not of this duty' })
  .refine(({ outcome, ground }) => ground !== undefined || (outcome !== 'refused' && outcome !== 'retained'), {
    path: ['ground'],
    error: 'missing',
  })

/** Signs the claims; `keyid` names an `assertionMethod` key of the debtor. */
export function signDutyReceipt(
  claims: DutyReceiptClaims,
  signer: { readonly keyid: string; readonly key: SigningKey },
): string {
  const checked = checkClaims(claims)
  if (didOfKeyId(signer.keyid) !== checked.iss) throw invalid('the key is not the debtor’s')
  const header = { typ: dutyReceiptType, kid: signer.keyid }
  return signCompactJws({ key: signer.key, header, payload: JSON.stringify(checked) })
}

/** Reads a receipt. Throws `duty-receipt-invalid` for another type, unknown, missing or contradictory claims, and for a
 *  key that is not the debtor's. */
export function parseDutyReceipt(receipt: string): ParsedDutyReceipt {
  const jws = asInvalid(() => parseCompactJws(receipt, { typ: dutyReceiptType, maxLength: maxDutyReceiptLength }))
  const claims = checkClaims(asInvalid(() => parseJson(jws.payloadText)))
  const { kid } = jws.header
  if (kid === undefined || asInvalid(() => didOfKeyId(kid)) !== claims.iss) throw invalid('the key is not the debtor’s')
  return { claims, kid, jws }
}

/** Verifies what `parseDutyReceipt` gave. Throws `duty-receipt-invalid`. */
export function verifyDutyReceipt({ jws }: ParsedDutyReceipt, key: VerifyingKey): void {
  asInvalid(() => verifyCompactJws(jws, key))
}

function checkClaims(value: unknown): DutyReceiptClaims {
  const parsed = claimsSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const path = parsed.error.issues[0]?.path.join('.') ?? ''
  throw invalid(path === '' ? 'the claims are malformed' : `the claim \`${path}\` is malformed`, parsed.error)
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
  return new Problem('duty-receipt-invalid', detail, { cause })
}
