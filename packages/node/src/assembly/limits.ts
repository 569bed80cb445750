/** The gateway's limits, from the configuration. */
import { versionAddress } from '@comity/core/exchange/product-address'
import type { CallLimits, OwnRate } from '../limits/call-limits.ts'
import type { NamedLimit } from '../limits/limit.ts'
import { createRateLimiter } from '../limits/rate-limiter.ts'
import { rateLimitFields } from '../limits/rate-limit-fields.ts'
import { countedAddress } from '../http/counted-address.ts'
import type { Config } from '../config/config.ts'
import type { CallToLimit, LimitsPort, RateVerdict } from '../gateway/limit-port.ts'
import type { Product } from '../products/product.ts'

interface Rate {
  readonly requests: number
  readonly perSeconds: number
  readonly burst?: number | undefined
}

function namedLimit(name: string, { requests, perSeconds, burst }: Rate): NamedLimit {
  return { name, limit: requests, periodMs: perSeconds * 1_000, ...(burst === undefined ? {} : { burst }) }
}

/** Counts the requests for consent of each partner. Strangers are refused anyway, and would fill the memory. */
export function createRequestLimit(
  config: Pick<Config, 'limits'>,
  isPartner: (did: string) => boolean,
): (did: string, nowMs: number) => RateVerdict {
  const limiter = createRateLimiter()
  const limit = namedLimit('consent-requests', config.limits.consentRequests)
  return (did, nowMs) => {
    if (!isPartner(did)) return open
    const verdict = limiter.charge([{ limit, key: did }], nowMs)
    return {
      admitted: verdict.allowed,
      retryAfterSeconds: Math.ceil(verdict.retryAfterMs / 1_000),
      fields: rateLimitFields(verdict),
    }
  }
}

const open: RateVerdict = { admitted: true, retryAfterSeconds: 0, fields: [] }

/** An address may fail with this many keys before it is refused with every key: several partners may share one
 *  address, and one that makes up keys must not get a budget for each. */
const keysPerAddress = 10

/** How often somebody may fail to show who they are: by address and claimed key, and ten times as often by address. */
export function createFailureLimit({ limits }: Pick<Config, 'limits'>) {
  const limiter = createRateLimiter()
  const byKey = namedLimit('failures', limits.failures)
  const byAddress = namedLimit('failures-of-address', {
    ...limits.failures,
    requests: limits.failures.requests * keysPerAddress,
  })
  const { requests, perSeconds } = limits.failures
  const oneMoreSeconds = Math.max(1, Math.ceil(perSeconds / requests))
  return {
    /** Seconds until they may fail once more; 0 while they may. */
    spentFor(remoteAddress: string, claimedKey: string, nowMs: number): number {
      const address = countedAddress(remoteAddress)
      const budgets = [
        { limit: byKey, key: `${address} ${claimedKey}`, cost: 0 },
        { limit: byAddress, key: address, cost: 0 },
      ]
      const isSpent = limiter.charge(budgets, nowMs).standings.some(({ verdict }) => verdict.remaining < 1)
      return isSpent ? oneMoreSeconds : 0
    },
    failed(remoteAddress: string, claimedKey: string, nowMs: number): void {
      const address = countedAddress(remoteAddress)
      limiter.charge([{ limit: byKey, key: `${address} ${claimedKey}` }], nowMs)
      limiter.charge([{ limit: byAddress, key: address }], nowMs)
    },
  }
}

/** Counts by address and by failures in this process, and everything else of calls by `counted`; products' own rates are
 *  looked up by `id@version`. */
export function createLimits(
  config: Pick<Config, 'limits'>,
  productOf: (address: string) => Product | undefined,
  counted: CallLimits,
): LimitsPort {
  const limiter = createRateLimiter()
  const perAddress = namedLimit('address', config.limits.perAddress)
  const failures = createFailureLimit(config)

  return {
    admitAddress(remoteAddress, nowMs) {
      const verdict = limiter.charge([{ limit: perAddress, key: countedAddress(remoteAddress) }], nowMs)
      if (verdict.allowed) return open
      return { admitted: false, retryAfterSeconds: Math.ceil(verdict.retryAfterMs / 1_000), fields: [] }
    },
    penaltySeconds: (remoteAddress, claimedKey, nowMs) => failures.spentFor(remoteAddress, claimedKey, nowMs),
    penalise: (remoteAddress, claimedKey, nowMs) => failures.failed(remoteAddress, claimedKey, nowMs),
    admitCall: createAdmission(productOf, counted),
  }
}

function createAdmission(productOf: (address: string) => Product | undefined, counted: CallLimits) {
  const ofProduct = new WeakMap<Product, OwnRate>()

  function rateOf(product: Product, address: string): OwnRate {
    const known = ofProduct.get(product)
    if (known !== undefined) return known
    const { rate } = product.settings.limits
    const made = { limit: namedLimit(product.id, rate), key: address, onStoreFailure: rate.onStoreFailure }
    ofProduct.set(product, made)
    return made
  }

  return (call: CallToLimit, nowMs: number) => {
    const { product, ...facts } = call
    const { id, version, hasCosts } = product
    // Versions have their own rates, and may be counted by other periods.
    const address = versionAddress(id, version)
    const offered = productOf(address)
    const own = offered && rateOf(offered, address)
    return counted.admit(
      { ...facts, product: id, hasCosts },
      own && { ...own, key: `${address} ${facts.caller}` },
      nowMs,
    )
  }
}
