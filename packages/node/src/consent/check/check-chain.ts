/** Chains of tokens as callers present them, verified once and known again by their hash until they expire. */
import { sha256Text } from '@comity/core/crypto/crypto-node'
import type { VerifyingKey } from '@comity/core/crypto/crypto'
import { isConsentAuthorization, parseConsentAuthorization } from '@comity/core/consent-token/consent-authorization'
import { verifyConsentChain } from '@comity/core/consent-token/consent-chain'
import type { VerifiedChain } from '@comity/core/consent-token/consent-claims'
import { didOfKeyId } from '@comity/core/identity/did'
import { Problem } from '@comity/core/problems'

export interface ChainParts {
  /** Own DID. */
  readonly did: string
  /** Own key by its DID URL. Rejects for one that is not published, or not any more. */
  readonly resolveKey: (keyid: string, purpose: 'assertionMethod') => Promise<VerifyingKey>
  readonly skewSeconds: number
  /** Chains kept in memory; 5,000 unless told. */
  readonly maxChains?: number | undefined
}

interface KnownChain {
  readonly chain: VerifiedChain
  readonly kid: string
  readonly key: VerifyingKey
}

/** Verifies what stands in the field `Authorization`. Gives undefined when that is no consent token. Throws
 *  `consent-token-invalid` and `consent-token-expired`. */
export type VerifyChain = (authorization: string | undefined, nowMs: number) => Promise<VerifiedChain | undefined>

export function createChainVerifier(parts: ChainParts): VerifyChain {
  const { did, skewSeconds, maxChains = 5_000 } = parts
  /** By hash of the field, least recently used first. */
  const known = new Map<string, KnownChain>()
  const keyOf = (kid: string) => ownKey(parts, kid)

  async function verify(authorization: string, nowMs: number): Promise<KnownChain> {
    const parsed = parseConsentAuthorization(authorization)
    const { kid } = parsed.root
    const key = await keyOf(kid)
    return { chain: verifyConsentChain(parsed, key, { holder: did, nowMs, skewSeconds }), kid, key }
  }

  return async (authorization, nowMs) => {
    if (authorization === undefined || !isConsentAuthorization(authorization)) return undefined
    const hash = sha256Text(authorization, 'base64url')
    const remembered = known.get(hash)
    known.delete(hash)
    const isGood = remembered && nowMs < remembered.chain.expiresMs && (await keyOf(remembered.kid)) === remembered.key
    const good = isGood ? remembered : await verify(authorization, nowMs)
    known.set(hash, good)
    if (known.size > maxChains) known.delete(known.keys().next().value as string)
    return good.chain
  }
}

/** A caller must not make this node ask for keys of the caller's choosing. */
async function ownKey({ did, resolveKey }: ChainParts, kid: string): Promise<VerifyingKey> {
  try {
    if (didOfKeyId(kid) === did) return await resolveKey(kid, 'assertionMethod')
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause
    throw new Problem('consent-token-invalid', 'the token is signed with no key of this holder', { cause })
  }
  throw new Problem('consent-token-invalid', 'the token is signed with no key of this holder')
}
