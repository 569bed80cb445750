/** The limits of a node: what counts them, and where their quotas are kept. */
import { CallLimits, type CallLimitsParts } from '../limits/call-limits.ts'
import type { Limit, Limiter } from '../limits/limit.ts'
import { compileRules, type LimitRule } from '../limits/limit-rules.ts'
import { createQuotaStore, QuotaLedger, type QuotaStore } from '../limits/quota-ledger.ts'
import { QuotaCounts, type QuotaCountsParts } from '../limits/quota-counts.ts'
import { createRateLimiter, type RateLimiter } from '../limits/rate-limiter.ts'
import type { Foundation } from './foundation.ts'
import type { QuotasOfNode } from './quotas.ts'

export interface LimitsOfNode {
  readonly calls: CallLimits
  /** How quotas stand, for an operator. */
  readonly counts: QuotaCounts
  /** Writes down what calls used of quotas that were not recorded. Rejects while the storage takes nothing. */
  settle(): Promise<void>
  /** Drops quotas whose periods are over. */
  prune(): Promise<void>
}

interface Parts extends Pick<
  Foundation,
  'config' | 'database' | 'world' | 'vault' | 'identity' | 'metrics' | 'events' | 'readSecretValue'
> {
  readonly quotas: Pick<QuotasOfNode, 'raised' | 'onUsed' | 'record' | 'countedAs'>
  readonly newId: () => string
}

/** Opens them: quotas go on where they were. */
export async function openLimits(parts: Parts, stack: AsyncDisposableStack): Promise<LimitsOfNode> {
  const { config, vault, identity, metrics, quotas, newId, world } = parts
  const rules = compileRules(config.limits.rules)
  const of = {
    rules,
    hash: (text: string) => vault.keyedHash(text, identity.did),
    onRefused: ({ name }: Limit) => metrics.limitRefusal(name),
    raised: quotas.raised,
    onUsed: quotas.onUsed,
  }
  const counted = {
    countedAs: quotas.countedAs,
    rules,
    raised: quotas.raised,
    record: quotas.record,
    newId,
    clock: world.clock,
  }
  if (config.limits.store === 'memory') return openLimitsHere(parts, { of, counted }, stack)
  const { openSharedLimiter } = await import('./shared-limits.ts')
  const limiter = await openSharedLimiter(parts, config.limits.store.redis, stack)
  return withoutQuotas(limiter, { of, counted })
}

interface OfCalls {
  readonly of: Omit<CallLimitsParts, 'limiter' | 'ledger'>
  readonly counted: Omit<QuotaCountsParts, 'limiter' | 'kept'>
}

async function openLimitsHere(
  parts: Parts,
  { of, counted }: OfCalls,
  stack: AsyncDisposableStack,
): Promise<LimitsOfNode> {
  const { database, world, metrics } = parts
  const limiter = createRateLimiter()
  metrics.gauge('limit_keys', () => limiter.size)
  // What no rule asks for is not loaded.
  if (!of.rules.some(({ limit }) => limit.kind === 'quota')) return withoutQuotas(limiter, { of, counted })
  const store = createQuotaStore(database)
  const ledger = new QuotaLedger(store)
  const bringBack = async () => {
    const statements = await store.bringBack(world.clock.now())
    if (statements.length > 0) await database.execute(statements)
  }
  await bringBack()
  await restoreQuotas({ store, limiter, rules: of.rules, nowMs: world.clock.now() })
  // Of a storage that takes nothing at the end, what was not recorded had no answer either.
  stack.defer(() => ledger.settle(database).catch(() => undefined))
  return {
    calls: new CallLimits({ ...of, limiter, ledger }),
    counts: new QuotaCounts({ ...counted, limiter, kept: { store, ledger } }),
    settle: () => ledger.settle(database),
    async prune() {
      await bringBack()
      await database.execute(store.prune(world.clock.now()))
    },
  }
}

function withoutQuotas(limiter: Limiter, { of, counted }: OfCalls): LimitsOfNode {
  const nothing = () => Promise.resolve()
  const counts = new QuotaCounts({ ...counted, limiter })
  return { calls: new CallLimits({ ...of, limiter }), counts, settle: nothing, prune: nothing }
}

interface Restored {
  readonly store: QuotaStore
  readonly limiter: RateLimiter
  readonly rules: readonly LimitRule[]
  readonly nowMs: number
}

/** What is used of quotas that have a rule still. */
async function restoreQuotas({ store, limiter, rules, nowMs }: Restored): Promise<void> {
  for (const { limit: name, per, key, startMs, units } of await store.load(nowMs)) {
    const rule = rules.find(({ limit }) => limit.kind === 'quota' && limit.name === name && limit.per === per)
    if (rule !== undefined) limiter.restore({ limit: rule.limit, key }, { startMs, used: units }, nowMs)
  }
}
