/** Keeps the tokens of held consents: fetched when first needed, renewed when two thirds of their life are over, when
 *  the holder says that the terms changed, and when the own key rotated. In memory only; a token is worth minutes. */
import { parseConsentChain } from '@comity/core/consent-token/consent-authorization'
import { verifyConsentChain } from '@comity/core/consent-token/consent-chain'
import type { VerifiedChain } from '@comity/core/consent-token/consent-claims'
import type { SigningKey, VerifyingKey } from '@comity/core/crypto/crypto'
import { jwkThumbprint } from '@comity/core/crypto/jwk'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { LRUCache } from 'lru-cache'
import type { PartnerEndpoint } from '../../http/partner-client.ts'
import type { HeldConsent } from './held-consent.ts'
import type { ConsentSource, FetchedToken } from './held-source.ts'

/** A token that this node may present now. */
export interface HeldToken {
  readonly chain: string
  readonly verified: VerifiedChain
  /** The own key that it is bound to. */
  readonly keyid: string
  readonly fetchedMs: number
}

export type HeldName = Pick<HeldConsent, 'id' | 'consent' | 'holder' | 'source'>

export interface TokenKeeper {
  /** The token, from memory if it can be used. Throws what the source answers. */
  current(held: HeldName): Promise<HeldToken>
  /** One of which at most a third of its life is over, signed with a key that the holder still publishes. */
  fresh(held: HeldName): Promise<HeldToken>
  /** Another one than `stale`. */
  renewed(held: HeldName, stale: string): Promise<HeldToken>
  drop(id: string): void
}

export interface TokenKeeperParts {
  /** Own DID. */
  readonly did: string
  readonly clock: Clock
  readonly skewSeconds: number
  readonly authenticationKey: () => { readonly keyid: string; readonly key: SigningKey }
  readonly source: Pick<ConsentSource, 'token'>
  /** Throws `partner-unknown`. */
  readonly partnerOf: (did: string) => PartnerEndpoint
  readonly resolveKey: (keyid: string, purpose: 'assertionMethod') => Promise<VerifyingKey>
}

const maxTokens = 20_000
/** A token that ends within this time may have ended when it arrives. */
const marginMs = 2_000
/** A renewal ahead of time that failed is not tried with every call. */
const pauseAfterFailureMs = 5_000

export function createTokenKeeper(parts: TokenKeeperParts): TokenKeeper {
  const tokens = new LRUCache<string, HeldToken>({ max: maxTokens })
  const fetching = new Map<string, Promise<HeldToken>>()
  const pausedUntil = new LRUCache<string, number>({ max: maxTokens })

  function fetchOnce(held: HeldName, refused?: string): Promise<HeldToken> {
    const running = fetching.get(held.id)
    if (running !== undefined) return running
    const started = fetchToken(parts, held, refused)
      .then((token) => {
        // Dropped meanwhile: what was being fetched is not kept, though whoever waits for it may try it.
        if (fetching.get(held.id) === started) tokens.set(held.id, token)
        return token
      })
      .finally(() => {
        if (fetching.get(held.id) === started) fetching.delete(held.id)
      })
    fetching.set(held.id, started)
    return started
  }

  function usable(id: string): HeldToken | undefined {
    const token = tokens.get(id)
    if (token === undefined || token.keyid !== parts.authenticationKey().keyid) return undefined
    return endOf(token) - marginMs > parts.clock.now() ? token : undefined
  }

  function renewAhead(held: HeldName): void {
    const nowMs = parts.clock.now()
    if ((pausedUntil.get(held.id) ?? 0) > nowMs || fetching.has(held.id)) return
    // The present token still counts; the call that finds it ended hears of a failure that lasts.
    fetchOnce(held).catch(() => pausedUntil.set(held.id, parts.clock.now() + pauseAfterFailureMs))
  }

  return {
    current(held) {
      const token = usable(held.id)
      if (token === undefined) return fetchOnce(held)
      if (isOlder(token, 2 / 3, parts.clock.now())) renewAhead(held)
      return Promise.resolve(token)
    },
    async fresh(held) {
      const token = usable(held.id)
      if (token === undefined || isOlder(token, 1 / 3, parts.clock.now())) return fetchOnce(held)
      return (await isRetired(token, parts)) ? fetchOnce(held) : token
    },
    renewed(held, stale) {
      const token = usable(held.id)
      if (token !== undefined && token.chain !== stale) return Promise.resolve(token)
      return fetchOnce(held, parseConsentChain(stale).root.claims.consent.hash)
    },
    drop(id) {
      tokens.delete(id)
      fetching.delete(id)
    },
  }
}

/** When the holder may refuse it at the latest, by its own clock. */
function endOf({ verified }: HeldToken): number {
  return verified.leaf.exp * 1_000
}

function isOlder(token: HeldToken, share: number, nowMs: number): boolean {
  return nowMs - token.fetchedMs > (endOf(token) - token.fetchedMs) * share
}

/** True when the holder has retired the key that it signed the token with. */
async function isRetired({ chain }: HeldToken, { resolveKey }: TokenKeeperParts): Promise<boolean> {
  try {
    await resolveKey(parseConsentChain(chain).root.kid, 'assertionMethod')
    return false
  } catch (error) {
    // A document that cannot be had now says nothing against the key.
    return error instanceof Problem && error.code === 'key-unknown'
  }
}

async function fetchToken(parts: TokenKeeperParts, held: HeldName, refused: string | undefined): Promise<HeldToken> {
  const fetched = await parts.source.token(parts.partnerOf(held.source), held.consent, refused)
  const verified = await verifyChainFor(parts, held, fetched)
  return { ...fetched, verified, fetchedMs: parts.clock.now() }
}

/** Whatever a source hands out is looked at here, so that a wrong token is the source's fault and not the next
 *  call's. */
async function verifyChainFor(parts: TokenKeeperParts, held: HeldName, { chain, keyid }: FetchedToken) {
  const parsed = parseConsentChain(chain)
  // Before the key is asked for: a source must not make this node resolve DIDs of its choosing.
  if (parsed.root.claims.iss !== held.holder || !parsed.root.kid.startsWith(`${held.holder}#`)) {
    throw unusable(held, 'is not of the holder')
  }
  const rootKey = await parts.resolveKey(parsed.root.kid, 'assertionMethod')
  const { skewSeconds, clock } = parts
  const verified = verifyConsentChain(parsed, rootKey, { holder: held.holder, nowMs: clock.now(), skewSeconds })
  const { leaf } = verified
  if (leaf.client_id !== parts.did || leaf.consent.id !== held.consent) throw unusable(held, 'is for another')
  if (held.id !== held.consent && leaf.consent.delegation !== held.id) throw unusable(held, 'is of another delegation')
  const own = parts.authenticationKey()
  if (own.keyid === keyid && jwkThumbprint(own.key.publicJwk) !== verified.keyThumbprint) {
    throw unusable(held, 'is bound to another key')
  }
  return verified
}

function unusable({ source }: HeldName, what: string): Problem {
  return new Problem('answer-unusable', `the consent token that \`${source}\` gave ${what}`)
}
