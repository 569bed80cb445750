/** The node's own keys: what each is for, and which state it is in. A state is never stored; it follows from the
 *  key's times and the clock, so a rotation goes on correctly through restarts and without timers.
 *
 *      pending ──activeAt──▶ active ──retiringAt──▶ retiring ──retiredAt──▶ retired
 *      published             signs                  still accepted          named with `expires` only
 */
import type { PrivateJwk } from '@comity/core/crypto/crypto'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'

/** What a key is for. `tls` is the server's and client's certificate key, `log` signs the audit log's checkpoints. Both
 *  kinds of `keyAgreement` stand under that relationship: X25519, and X25519 with ML-KEM-768 (`hybridKeyAgreement`). */
export const keyPurposes = [
  'authentication',
  'assertionMethod',
  'keyAgreement',
  'hybridKeyAgreement',
  'tls',
  'log',
] as const
export type KeyPurpose = (typeof keyPurposes)[number]

/** Purposes as partners and operators see them: the key agreement keys are one. */
export type PublicPurpose = Exclude<KeyPurpose, 'hybridKeyAgreement'>

export type KeyState = 'pending' | 'active' | 'retiring' | 'retired'

const milliseconds = z.int().nonnegative()
const coordinate = z.string().min(1).max(64)

const jwkSchema = z.union([
  z.strictObject({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: coordinate,
    y: coordinate,
    d: coordinate.optional(),
  }),
  z.strictObject({
    kty: z.literal('OKP'),
    crv: z.enum(['Ed25519', 'X25519']),
    x: coordinate,
    d: coordinate.optional(),
  }),
  z.strictObject({
    kty: z.literal('AKP'),
    /** What the key is for: HPKE with MLKEM768-X25519 (draft-ietf-jose-hpke-pq-pqt). */
    alg: z.literal('HPKE-9'),
    pub: z.string().length(1622),
    /** The seed of 32 bytes. */
    priv: coordinate.optional(),
  }),
])

type NodeJwk = Readonly<z.infer<typeof jwkSchema>>

/** The private part, in base64url; undefined once it was destroyed. */
export function secretOf(jwk: NodeJwk): string | undefined {
  return jwk.kty === 'AKP' ? jwk.priv : jwk.d
}

/** The key without its private part: what may be published. */
export function publicJwkOf(jwk: NodeJwk): NodeJwk {
  if (jwk.kty === 'AKP') {
    const { priv: _, ...published } = jwk
    return published
  }
  const { d: _, ...published } = jwk
  return published
}

/** One key as it is kept. Times are milliseconds since the epoch. */
export const nodeKeySchema = z.strictObject({
  /** Fragment of its DID URL. */
  id: z.string().min(1).max(128),
  purpose: z.enum(keyPurposes),
  /** Without its private part once the key is retired. */
  jwk: jwkSchema,
  createdAtMs: milliseconds,
  activeAtMs: milliseconds,
  retiringAtMs: milliseconds.optional(),
  retiredAtMs: milliseconds.optional(),
  /** PEM, of a `tls` key. */
  certificate: z.string().optional(),
})

export type NodeKey = Readonly<z.infer<typeof nodeKeySchema>>

/** A key with the state it is in. */
export interface KeyInState {
  readonly key: NodeKey
  readonly state: KeyState
}

/** The state of one key at a time. */
export function decideKeyState(key: NodeKey, nowMs: number): KeyState {
  if (key.retiredAtMs !== undefined && nowMs >= key.retiredAtMs) return 'retired'
  if (key.retiringAtMs !== undefined && nowMs >= key.retiringAtMs) return 'retiring'
  return nowMs >= key.activeAtMs ? 'active' : 'pending'
}

/** The states of all keys at a time. */
export function decideKeyStates(keys: readonly NodeKey[], nowMs: number): KeyInState[] {
  return keys.map((key) => ({ key, state: decideKeyState(key, nowMs) }))
}

/** The key that signs for a purpose at a time. INVARIANT: there is exactly one, since a successor becomes active in
 *  the millisecond in which its predecessor begins to retire. Throws `keys-locked` when the key file holds none. */
export function signingKey(keys: readonly NodeKey[], purpose: KeyPurpose, nowMs: number): NodeKey {
  const active = keys.filter((key) => key.purpose === purpose && decideKeyState(key, nowMs) === 'active')
  const newest = active.toSorted((a, b) => b.activeAtMs - a.activeAtMs)[0]
  if (newest === undefined || secretOf(newest.jwk) === undefined)
    throw new Problem('keys-locked', `there is no active key for ${purpose}`)
  return newest
}

/** The next time at which some key changes its state, or undefined when none is planned. */
export function nextChangeAtMs(keys: readonly NodeKey[], nowMs: number): number | undefined {
  const times = keys.flatMap(({ activeAtMs, retiringAtMs, retiredAtMs }) => [activeAtMs, retiringAtMs, retiredAtMs])
  const coming = times.filter((time) => time !== undefined && time > nowMs)
  return coming.length === 0 ? undefined : Math.min(...(coming as number[]))
}

/** The same keys, without the private parts of retired ones: what cannot sign any more cannot be stolen. */
export function withoutRetiredSecrets(keys: readonly NodeKey[], nowMs: number): readonly NodeKey[] {
  const holdsRetiredSecret = (key: NodeKey) =>
    secretOf(key.jwk) !== undefined && decideKeyState(key, nowMs) === 'retired'
  if (!keys.some(holdsRetiredSecret)) return keys
  return keys.map((key) => (holdsRetiredSecret(key) ? { ...key, jwk: publicJwkOf(key.jwk) } : key))
}

/** The private JWK of a signing key. Throws `keys-locked` for a retired key and `malformed-key` for a key agreement key. */
export function privateJwkOf({ id, jwk }: NodeKey): PrivateJwk {
  if (secretOf(jwk) === undefined) throw new Problem('keys-locked', `the private part of \`${id}\` was destroyed`)
  if (jwk.kty === 'AKP' || jwk.crv === 'X25519')
    throw new Problem('malformed-key', `\`${id}\` is not a key for signatures`)
  return jwk as PrivateJwk
}
