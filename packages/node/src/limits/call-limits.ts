/** All limits of one call: the product's own rate and every rule that the call meets. They are charged together when the
 *  call comes in, and once more for what is only known later: its items, and whom it is about. */
import type { Problem } from '@comity/core/problems'
import type { Statement } from '../storage/database.ts'
import type {
  CalendarLimit,
  Charge,
  GivenBack,
  Limit,
  Limiter,
  LimiterVerdict,
  LimitStanding,
  Standing,
} from './limit.ts'
import { isStranger, keyOfRule, type CallFacts, type LimitRule } from './limit-rules.ts'
import type { QuotaLedger, QuotaUse } from './quota-ledger.ts'
import { rateLimitedProblem, rateLimitFields } from './rate-limit-fields.ts'
import { isStrangersKey, strangersKey } from './strangers.ts'

/** What a call's operation costs; `id` as in the product's document. */
export interface CalledOperation {
  readonly id: string
  readonly units: number
}

/** A call as it comes in. */
export interface LimitedCall extends Omit<CallFacts, 'operation' | 'subject'> {
  readonly hasCosts: boolean
  /** Asked for only when a limit depends on it; undefined when it is not known yet. */
  readonly operation: () => CalledOperation | undefined
}

/** What is known of a call once it is covered; `subject` is the reference of whom it is about. */
export interface KnownLater {
  readonly operation: CalledOperation
  readonly subject: string | undefined
}

export interface LimitAnswer {
  /** The announcing header fields, name and value in turn. */
  readonly fields: readonly string[]
  /** Why the call ends here. */
  readonly refusal: Problem | undefined
  /** What an admitted call holds. */
  readonly hold: CallHold | undefined
}

export interface CallLimitsParts {
  readonly limiter: Pick<Limiter, 'charge'>
  readonly rules: readonly LimitRule[]
  /** Where quotas are kept; absent where the limiter keeps them. */
  readonly ledger?: QuotaLedger | undefined
  /** A keyed hash, in base64url. */
  readonly hash: (text: string) => string
  /** Another limit in the place of a rule's, for one key; the rule's own when undefined. */
  readonly raised?: ((limit: Limit, key: string) => Limit | undefined) | undefined
  /** Told of each quota that an admitted call took of. */
  readonly onUsed?: ((use: UsedQuota) => void) | undefined
  /** Told of each limit that refused a call. */
  readonly onRefused?: ((limit: Limit) => void) | undefined
}

/** How a quota stands after a call. */
export interface UsedQuota extends Pick<Standing, 'remaining'> {
  readonly limit: CalendarLimit
  readonly key: string
  readonly period: NonNullable<Standing['period']>
}

/** The rate that a product has for each of its callers. */
export type OwnRate = Pick<Charge, 'limit' | 'key' | 'onStoreFailure'>

interface RulesOfProduct {
  readonly rules: readonly LimitRule[]
  readonly needsOperation: boolean
}

type Maybe<T> = T | Promise<T>

function whenKnown<T, R>(value: Maybe<T>, use: (value: T) => Maybe<R>): Maybe<R> {
  return value instanceof Promise ? value.then(use) : use(value)
}

export class CallLimits {
  readonly parts: CallLimitsParts
  readonly #ofProduct = new Map<string, RulesOfProduct>()

  constructor(parts: CallLimitsParts) {
    this.parts = parts
  }

  /** Charges what is known when a call comes in. Answers at once where the limiter does. */
  admit(call: LimitedCall, rate: OwnRate | undefined, nowMs: number): Maybe<LimitAnswer> {
    const { rules, needsOperation } = this.#rulesOf(call.product)
    const own = rate && isStranger(call) ? { ...rate, key: strangersKey(rate.key, this.parts.hash) } : rate
    const operation = needsOperation || call.hasCosts ? call.operation() : undefined
    const hold = new CallHold(this.parts, { ...call, operation: operation?.id, subject: undefined }, { own, rules })
    return hold.charge(operation?.units ?? 1, nowMs)
  }

  #rulesOf(product: string): RulesOfProduct {
    let found = this.#ofProduct.get(product)
    if (found === undefined) {
      const rules = this.parts.rules.filter((rule) => rule.isOf(product))
      found = { rules, needsOperation: rules.some((rule) => rule.needsOperation) }
      this.#ofProduct.set(product, found)
    }
    return found
  }
}

/** The limits of a call under way. */
export class CallHold {
  readonly #parts: CallLimitsParts
  #facts: CallFacts
  readonly #own: OwnRate | undefined
  readonly #rules: readonly LimitRule[]
  /** Rules that were charged already, with the product's own rate as undefined, and how each stood then. */
  #charged: (LimitRule | undefined)[] = []
  #standings: LimitStanding[] = []
  #units = 0
  #releases: (() => void)[] = []
  #giveBacks: NonNullable<LimiterVerdict['giveBack']>[] = []
  #uses: QuotaUse[] = []
  #isEnded = false

  constructor(
    parts: CallLimitsParts,
    facts: CallFacts,
    { own, rules }: { readonly own: OwnRate | undefined; readonly rules: readonly LimitRule[] },
  ) {
    this.#parts = parts
    this.#facts = facts
    this.#own = own
    this.#rules = rules
  }

  /** Units that the call has taken so far. */
  get units(): number {
    return this.#units
  }

  /** Charges what is known only now; undefined when nothing depends on it. A call that is refused now took nothing:
   *  what was charged before is given back. */
  chargeLater({ operation, subject }: KnownLater, nowMs: number): Maybe<LimitAnswer> | undefined {
    const isCounted = subject !== undefined && this.#rules.some(({ needsSubject }) => needsSubject)
    this.#facts = {
      ...this.#facts,
      operation: operation.id,
      subject: isCounted ? this.#parts.hash(`subject ${subject}`) : undefined,
    }
    const isMore = operation.units > this.#units || this.#rules.some((rule) => this.#isNew(rule))
    return isMore ? this.charge(operation.units, nowMs) : undefined
  }

  #isNew(rule: LimitRule): boolean {
    if (this.#charged.includes(rule) || (rule.needsOperation && this.#facts.operation === undefined)) return false
    return !(rule.needsSubject && this.#facts.subject === undefined) && rule.meets(this.#facts)
  }

  /** Charges the call as one of so many units, less what was charged of it before. */
  charge(units: number, nowMs: number): Maybe<LimitAnswer> {
    const { charges, of } = this.#chargesFor(units)
    if (charges.length === 0) {
      this.#units = units
      return { fields: [], refusal: undefined, hold: this }
    }
    return whenKnown(this.#parts.limiter.charge(charges, nowMs), (verdict) => {
      this.#note(of, verdict)
      if (!verdict.allowed) return this.#refuse(verdict, units, nowMs)
      const fields = rateLimitFields({ standings: this.#standings })
      this.#units = units
      this.#keep(charges, verdict)
      return { fields, refusal: undefined, hold: this }
    })
  }

  /** How the limits stand now: those just charged, and the others as they stood. */
  #note(of: (LimitRule | undefined)[], { standings }: LimiterVerdict): void {
    if (this.#charged.length === 0) {
      this.#charged = of
      this.#standings = [...standings]
      return
    }
    const others = this.#charged.flatMap((rule, at) => (of.includes(rule) ? [] : [at]))
    this.#standings = [...others.map((at) => this.#standings[at] as LimitStanding), ...standings]
    this.#charged = [...others.map((at) => this.#charged[at]), ...of]
  }

  #chargesFor(units: number): { readonly charges: Charge[]; readonly of: (LimitRule | undefined)[] } {
    const charges: Charge[] = []
    const of: (LimitRule | undefined)[] = []
    const add = (rule: LimitRule | undefined, charge: Charge) => {
      const isAgain = this.#charged.includes(rule)
      const cost = isAgain ? units - this.#units : units
      if (isAgain && (cost <= 0 || charge.limit.kind === 'concurrency')) return
      charges.push({ ...charge, cost })
      of.push(rule)
    }
    if (this.#own !== undefined) add(undefined, this.#own)
    for (const rule of this.#rules) {
      if (!this.#charged.includes(rule) && !this.#isNew(rule)) continue
      const charge = this.#chargeOf(rule)
      if (charge !== undefined) add(rule, charge)
    }
    return { charges, of }
  }

  #chargeOf(rule: LimitRule): Charge | undefined {
    const { hash, raised } = this.#parts
    const key = keyOfRule(rule, this.#facts, hash)
    if (key === undefined) return undefined
    const { limit, onStoreFailure } = rule
    const isDivided = rule.needsSubject || rule.by.includes('operation')
    return {
      limit: (isStrangersKey(key) ? undefined : raised?.(limit, key)) ?? limit,
      key,
      onStoreFailure,
      ...(isDivided && { partition: partitionOf(hash(`${limit.name} ${key}`)) }),
    }
  }

  #refuse(verdict: LimiterVerdict, units: number, nowMs: number): Maybe<LimitAnswer> {
    for (const standing of verdict.standings) if (!standing.verdict.allowed) this.#parts.onRefused?.(standing.limit)
    return whenKnown(this.#giveBack(units, nowMs), (given) => {
      const standings = afterRefusal(this.#standings, given)
      const retryAfterMs = Math.max(verdict.retryAfterMs, ...given.map((back) => back.retryAfterMs))
      const fields = rateLimitFields({ standings })
      return { fields, refusal: rateLimitedProblem({ standings, retryAfterMs }, units), hold: undefined }
    })
  }

  /** Gives back what the call took so far, but slots, which it holds until its end. */
  #giveBack(units: number, nowMs: number): Maybe<readonly GivenBack[]> {
    const given = this.#giveBacks.splice(0).map((giveBack) => giveBack({ units }, nowMs))
    this.#uses = []
    this.#units = 0
    const known = given.filter((back): back is GivenBack => !(back instanceof Promise))
    if (known.length === given.length) return known
    // What a server cannot be told now stays charged there.
    return Promise.allSettled(given).then((all) => all.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])))
  }

  #keep(charges: readonly Charge[], { release, giveBack, standings }: LimiterVerdict): void {
    if (giveBack !== undefined) this.#giveBacks.push(giveBack)
    if (release !== undefined) {
      // The call may have ended while the store was asked.
      if (this.#isEnded) release()
      else this.#releases.push(release)
    }
    const { ledger, onUsed } = this.#parts
    for (const [at, { limit, key, cost = 1 }] of charges.entries()) {
      const { period, remaining = 0 } = standings[at]?.verdict ?? {}
      if (limit.kind !== 'quota' || period === undefined) continue
      onUsed?.({ limit, key, remaining, period })
      if (ledger === undefined) continue
      this.#uses.push({ limit: limit.name, per: limit.per, key, startMs: period.startMs, units: cost })
    }
  }

  /** Writes down what the call used of quotas and is not written yet; goes into the transaction that records the call. */
  statements(): readonly Statement[] {
    return this.#uses.length === 0 ? [] : (this.#parts.ledger?.statements(this.#uses) ?? [])
  }

  /** Called when the statements are durable. */
  recorded(): void {
    this.#uses = []
  }

  /** Ends the call: its slots are free again; what was not recorded is written by and by. Only the first time counts. */
  end(): void {
    this.#isEnded = true
    for (const release of this.#releases.splice(0)) release()
    if (this.#uses.length === 0) return
    this.#parts.ledger?.carry(this.#uses)
    this.#uses = []
  }
}

/** How the limits of a refused call stand: those that refused it say so, the others have what was given back. */
function afterRefusal(standings: readonly LimitStanding[], given: readonly GivenBack[]): readonly LimitStanding[] {
  const now = given.flatMap((back) => back.standings)
  return standings.map((standing) => {
    const { limit, partition, verdict } = standing
    const back = now.find((one) => one.limit === limit && one.partition === partition)
    if (back === undefined) return standing
    const { allowed, retryAfterMs } = verdict
    return { ...back, verdict: { ...back.verdict, allowed, retryAfterMs } }
  })
}

/** Six bytes as base64, of a hash in base64url. */
function partitionOf(hash: string): string {
  return hash.slice(0, 8).replaceAll('-', '+').replaceAll('_', '/')
}
