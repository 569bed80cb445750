/** What is counted of quotas, for an operator to look at and to begin anew. */
import { canonicalJson } from '@comity/core/bytes/canonical-json'
import { sha256Text } from '@comity/core/crypto/crypto-node'
import { quotaSpan, type QuotaPer } from '@comity/core/limits/quota'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { Statement } from '../storage/database.ts'
import type { CallLimitsParts } from './call-limits.ts'
import { UnreadableCount, type CalendarLimit, type Limiter } from './limit.ts'
import type { LimitRule } from './limit-rules.ts'
import type { QuotaLedger, QuotaStore } from './quota-ledger.ts'
import { isStrangersKey } from './strangers.ts'

/** How one counter of a quota stands. */
export interface QuotaCount {
  readonly limit: string
  /** As webhooks name it (`participant=did:web:lab.example product=readings`); `all` where all calls share one. */
  readonly of: string
  readonly units: number
  readonly used: number
  readonly per: QuotaPer
  readonly endsMs: number
}

export interface QuotaCountsParts {
  readonly rules: readonly LimitRule[]
  readonly limiter: Limiter
  readonly raised?: CallLimitsParts['raised']
  /** Where quotas are kept; absent where the limiter keeps them. */
  readonly kept?: { readonly store: Pick<QuotaStore, 'forget'>; readonly ledger: QuotaLedger } | undefined
  /** What calls of a participant, client or key are counted under, by a name that an operator may give it; undefined for
   *  one that is none. */
  readonly countedAs: (name: string, value: string) => Promise<string | undefined>
  readonly clock: Clock
  readonly newId: () => string
  /** Durable when it resolves, together with the statements. */
  readonly record: (
    event: { readonly id: string; readonly type: string; readonly timeMs: number; readonly body: string },
    statements: readonly Statement[],
  ) => Promise<unknown>
}

interface Counter {
  readonly limit: CalendarLimit
  readonly key: string
}

interface NamedCounter extends Counter {
  readonly of: string
}

/** What stands for the key of a rule that counts by nothing. */
const all = 'all'

export class QuotaCounts {
  readonly #parts: QuotaCountsParts

  constructor(parts: QuotaCountsParts) {
    this.#parts = parts
  }

  /** Throws `quota-unknown`, `limits-unavailable`. */
  async show(limit: string, of: string): Promise<QuotaCount> {
    const counter = await this.#counterOf(limit, of)
    const count = await this.#count(counter)
    if (count !== undefined) return count
    const detail = `what stands for \`${limit}\` on the server is no count; \`comity quotas reset\` begins it anew`
    throw new Problem('limits-unavailable', detail)
  }

  /** Begins it anew, once the log says so: nothing is used, also of a count that cannot be read. Throws `quota-unknown`,
   *  `limits-unavailable`, `record-failed`. */
  async reset(name: string, given: string): Promise<void> {
    const { limiter, kept, clock, newId, record } = this.#parts
    const counter = await this.#counterOf(name, given)
    const { limit, key, of } = counter
    const before = await this.#count(counter)
    const [id, time, type] = [newId(), clock.now(), 'quota-reset']
    const unused = before ?? {
      limit: name,
      of,
      units: limit.units,
      per: limit.per,
      endsMs: quotaSpan(limit.per, time).endMs,
    }
    const hashes = { ...(before && { before: hashOf(before) }), after: hashOf({ ...unused, used: 0 }) }
    const seen = before === undefined ? { unreadable: true } : { used: before.used }
    const facts = { type, id, time, limit: name, of, per: limit.per, ...seen }
    const counted = { limit: name, per: limit.per, key }
    const event = { id, type, timeMs: time, body: JSON.stringify({ ...facts, ...hashes }) }
    await record(event, kept === undefined ? [] : [kept.store.forget(counted)])
    kept?.ledger.forget(counted)
    await limiter.forget(counter)
  }

  async #counterOf(name: string, given: string): Promise<NamedCounter> {
    const rule = this.#parts.rules.find(({ limit }) => limit.name === name)
    const said = given === all ? '' : given
    if (rule?.limit.kind !== 'quota' || !fits(rule, said)) {
      throw new Problem('quota-unknown', 'there is no such quota, or it is not counted by that')
    }
    const key = isStrangersKey(said) ? said : await this.#keyOf(rule, said)
    const limit = (isStrangersKey(key) ? undefined : this.#parts.raised?.(rule.limit, key)) ?? rule.limit
    return { limit: limit.kind === 'quota' ? limit : rule.limit, key, of: key === '' ? all : key }
  }

  /** The key as calls are counted by it: with the DID of a partner that was named by its alias, and the line of a key.
   *  Throws `quota-unknown` for what is no partner, client or key, of which nothing would be begun anew. */
  async #keyOf(rule: LimitRule, said: string): Promise<string> {
    const parts = partsOf(rule, said).map(async ([name, value]) => {
      const counted = whose.has(name) ? await this.#parts.countedAs(name, value) : value
      if (counted === undefined)
        throw new Problem(
          'quota-unknown',
          `the quota counts by ${name}, and what was named is no partner, client or key`,
        )
      return `${name}=${counted}`
    })
    return (await Promise.all(parts)).join(' ')
  }

  /** Undefined for what nobody can read. Throws `limits-unavailable`. */
  async #count({ limit, key, of }: NamedCounter): Promise<QuotaCount | undefined> {
    const asked = { limit, key, cost: 0, onStoreFailure: 'refuse' } as const
    const { limiter, clock } = this.#parts
    const standings = await readable(async () => (await limiter.charge([asked], clock.now())).standings)
    if (standings === undefined) return undefined
    const { used = 0, period = { startMs: 0, lengthMs: 0 } } = standings[0]?.verdict ?? {}
    const { name, units, per } = limit
    return { limit: name, of, units, used, per, endsMs: period.startMs + period.lengthMs }
  }
}

/** Undefined where what is kept is no count. */
async function readable<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Problem && error.cause instanceof UnreadableCount) return undefined
    throw error
  }
}

/** Whether a rule may count by this key: each of what it counts by, in order. */
function fits({ by }: LimitRule, key: string): boolean {
  if (isStrangersKey(key)) return by.length > 0
  let rest = key
  for (const [at, name] of by.entries()) {
    if (!rest.startsWith(`${at === 0 ? '' : ' '}${name}=`)) return false
    const next = by[at + 1]
    const end = next === undefined ? rest.length : rest.indexOf(` ${next}=`)
    if (end < 0) return false
    rest = rest.slice(end)
  }
  return rest === ''
}

const whose: ReadonlySet<string> = new Set(['participant', 'client', 'key'])

/** Names and values of a key that fits the rule. */
function partsOf({ by }: LimitRule, key: string): (readonly [string, string])[] {
  return by.map((name, at) => {
    const from = key.indexOf(`${at === 0 ? '' : ' '}${name}=`) + name.length + (at === 0 ? 1 : 2)
    const next = by[at + 1]
    return [name, key.slice(from, next === undefined ? undefined : key.indexOf(` ${next}=`, from))]
  })
}

/** SHA-256 of the canonical JSON, base64url. */
const hashOf = (count: QuotaCount): string => sha256Text(canonicalJson({ ...count }), 'base64url')
