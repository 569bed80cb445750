/** Verifies a WebAuthn assertion (W3C Web Authentication Level 3, §7.2) whose challenge is a hash. */
import { importVerifyingKey, sha256, sha256Text } from '#crypto'
import { concatBytes, equalBytes } from '../bytes/bytes.ts'
import { decodeBase64url } from '../bytes/base64url.ts'
import { parseJson } from '../bytes/json.ts'
import { utf8Text } from '../bytes/utf8.ts'
import type { PublicJwk } from '../crypto/crypto.ts'
import { jwkThumbprint } from '../crypto/jwk.ts'
import { Problem } from '../problems.ts'
import type { WebAuthnProof } from './consent-record.ts'
import { rsaPublicKey, verifyRs256, type RsaJwk } from './webauthn-rs256.ts'
import { p256SignatureOfDer } from './webauthn-signature.ts'

/** Public key of a passkey: ES256, EdDSA or RS256. */
export type PasskeyJwk = PublicJwk | RsaJwk

/** What an assertion must say. */
export interface PasskeyFacts {
  /** The relying party: the host of the holder's page for people, or a domain above it. */
  readonly rpId: string
  /** Where the page is: `https://consent.example`. */
  readonly origins: readonly string[]
  /** The credential as it was registered. Without it the assertion shows one key's possession, and no more. */
  readonly credential?: { readonly id: string; readonly publicKey: PasskeyJwk } | undefined
  /** Whether the person must have unlocked the passkey (the flag UV); presence (UP) always must be. */
  readonly userVerification?: boolean | undefined
}

// Authenticator data (§6.1): hash of the RP id, flags, counter, then what the flags tell of.
const minDataLength = 37
const flags = {
  userPresent: 0x01,
  userVerified: 0x04,
  backupEligible: 0x08,
  backedUp: 0x10,
  attested: 0x40,
  extended: 0x80,
}

/** Returns when the assertion is a good one over exactly this challenge (base64url). Throws `consent-proof-invalid`. */
export function verifyAssertion(proof: WebAuthnProof, challenge: string, facts: PasskeyFacts): void {
  try {
    checkCredential(proof, facts)
    const clientData = decodeBase64url(proof.clientDataJSON)
    checkClientData(parseJson(utf8Text(clientData)), { proof, challenge, facts })
    const data = decodeBase64url(proof.authenticatorData)
    checkAuthenticatorData(data, facts)
    checkSignature(proof, concatBytes(data, sha256(clientData)))
  } catch (cause) {
    if (cause instanceof Problem && cause.code === 'consent-proof-invalid') throw cause
    throw invalid('the assertion cannot be read', cause)
  }
}

function checkCredential(proof: WebAuthnProof, { credential, rpId, origins }: PasskeyFacts): void {
  if (proof.rpId !== rpId) throw invalid('the assertion is for another relying party')
  if (!origins.includes(proof.origin)) throw invalid('the assertion is from another origin')
  if (credential === undefined) return
  const isKnown =
    credential.id === proof.credentialId && thumbprintOf(credential.publicKey) === thumbprintOf(keyOf(proof))
  if (!isKnown) throw invalid('the passkey is not the one that was registered')
}

function checkClientData(
  value: unknown,
  {
    proof,
    challenge,
    facts,
  }: { readonly proof: WebAuthnProof; readonly challenge: string; readonly facts: PasskeyFacts },
): void {
  if (typeof value !== 'object' || value === null) throw invalid('the client data is not an object')
  const data = value as Readonly<Record<string, unknown>>
  if (data['type'] !== 'webauthn.get') throw invalid('it is not an assertion')
  if (data['challenge'] !== challenge) throw invalid('it is over another challenge')
  if (data['origin'] !== proof.origin || !facts.origins.includes(proof.origin))
    throw invalid('it is from another origin')
  // The page may not stand in a frame of somebody else's, where a click can be lured.
  if (data['crossOrigin'] === true || data['topOrigin'] !== undefined) throw invalid("it was made in another's frame")
}

function checkAuthenticatorData(data: Uint8Array, { rpId, userVerification = false }: PasskeyFacts): void {
  if (data.length < minDataLength) throw invalid('the authenticator data are too short')
  if (!equalBytes(data.subarray(0, 32), sha256(rpId))) throw invalid('the assertion is for another relying party')
  const byte = data[32] ?? 0
  const has = (flag: number): boolean => (byte & flag) !== 0
  if (!has(flags.userPresent)) throw invalid('nobody was present')
  if (userVerification && !has(flags.userVerified)) throw invalid('the person was not verified')
  if (has(flags.backedUp) && !has(flags.backupEligible)) throw invalid('the flags contradict each other')
  // §6.1: without credential and extensions nothing follows; an assertion carries no new credential.
  if (has(flags.attested)) throw invalid('an assertion carries no new credential')
  if (has(flags.extended) !== data.length > minDataLength) throw invalid('the authenticator data have another length')
}

function checkSignature(proof: WebAuthnProof, signed: Uint8Array): void {
  if (!isSigned(keyOf(proof), signed, decodeBase64url(proof.signature))) throw invalid('the signature does not verify')
}

function isSigned(jwk: PasskeyJwk, signed: Uint8Array, bytes: Uint8Array): boolean {
  if (jwk.kty === 'RSA') return verifyRs256(jwk, signed, bytes)
  const key = importVerifyingKey(jwk)
  const signature = key.algorithm === 'ed25519' ? bytes : p256SignatureOfDer(bytes)
  return signature !== undefined && key.verify(signed, signature)
}

function keyOf({ publicKey }: WebAuthnProof): PasskeyJwk {
  if (publicKey['kty'] === 'RSA') return rsaPublicKey(publicKey)
  return importVerifyingKey(publicKey as unknown as PublicJwk).jwk
}

/** RFC 7638; of RSA the required members are `e`, `kty` and `n` (§3.2). */
function thumbprintOf(jwk: PasskeyJwk): string {
  if (jwk.kty !== 'RSA') return jwkThumbprint(jwk)
  return sha256Text(JSON.stringify({ e: jwk.e, kty: jwk.kty, n: jwk.n }), 'base64url')
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('consent-proof-invalid', detail, { cause })
}
