/** Limits that replicas share, counted by a Redis or Valkey server: one round trip for a call. What becomes of calls while
 *  the server cannot be asked, each limit says for itself. */
import { createHash } from 'node:crypto'
import { Problem } from '@comity/core/problems'
import {
  UnreadableCount,
  type Charge,
  type GiveBack,
  type GivenBack,
  type Limiter,
  type LimiterVerdict,
} from '../limit.ts'
import { chargeArguments, giveBackArguments, readReply, type ChargeReply } from './charge-message.ts'
import { chargeScript, renewScript } from './charge-script.ts'

/** What is asked of a client of the server. Rejects at once when there is no connection. */
export interface RedisPort {
  evalSha(sha: string, keys: readonly string[], texts: readonly string[]): Promise<unknown>
  eval(script: string, keys: readonly string[], texts: readonly string[]): Promise<unknown>
  zRem(key: string, member: string): Promise<unknown>
}

export interface RedisLimiterOptions {
  readonly redis: RedisPort
  /** Before every key on the server; in braces, so that all lie in one slot of a cluster. */
  readonly prefix: string
  /** How long a call waits for the server. */
  readonly timeoutMs: number
  /** How long a slot stays taken when nobody lengthens its lease: its node is gone. */
  readonly leaseMs: number
  /** Names this process among all that share the server. */
  readonly instance: string
  /** What stands on the server instead of a key: it holds DIDs and addresses. */
  readonly hash: (text: string) => string
  /** Counts while the server cannot be asked, for limits that admit then. */
  readonly local: Limiter
  /** Told when the server cannot be asked any more, with why, and when it can again. */
  readonly onChange?: ((isUp: boolean, error: unknown) => void) | undefined
  /** Told, once a second at most, of a key that holds something else than the script wrote. */
  readonly onUnreadable?: ((error: unknown) => void) | undefined
  /** The time as charges are told it; the server's own counts when absent. For tests. */
  readonly timeOf?: ((now: number) => number) | undefined
}

/** After a failure the server is left alone for so long. */
const restMs = 1_000
const renewedAtOnce = 500

interface Slot {
  readonly key: string
  readonly holder: string
}

/** One of the two scripts: by its hash, or whole where the server does not know it (any more). */
interface Script {
  readonly text: string
  readonly sha: string
}

const scriptOf = (text: string): Script => ({ text, sha: createHash('sha1').update(text).digest('hex') })
const charging = scriptOf(chargeScript)
const renewing = scriptOf(renewScript)

export class RedisLimiter implements Limiter {
  readonly #options: RedisLimiterOptions
  readonly #held = new Set<Slot>()
  readonly #timer: NodeJS.Timeout
  #calls = 0
  #restsUntilMs = 0
  #quietUntilMs = 0
  #isUp = true

  constructor(options: RedisLimiterOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.renew(), Math.floor(options.leaseMs / 3)).unref()
  }

  get isUp(): boolean {
    return this.#isUp
  }

  charge(charges: readonly Charge[], now: number): LimiterVerdict | Promise<LimiterVerdict> {
    return performance.now() < this.#restsUntilMs ? this.#without(charges, now) : this.#ask(charges, now)
  }

  async #ask(charges: readonly Charge[], now: number): Promise<LimiterVerdict> {
    const { leaseMs, instance, timeoutMs } = this.#options
    const holder = `${instance}-${this.#calls++}`
    const keys = charges.map((charge) => this.#keyOf(charge))
    const slots = charges.flatMap(({ limit, cost }, at) =>
      limit.kind === 'concurrency' && cost !== 0 ? [{ key: keys[at] as string, holder }] : [],
    )
    const asked = this.#run(charging, keys, [this.#timeFor(now), ...chargeArguments(charges, { leaseMs, holder })])
    try {
      const reply = readReply(charges, await within(asked, timeoutMs))
      this.#tell(true)
      if (!reply.allowed) return reply
      const verdict = {
        ...reply,
        giveBack: (of: GiveBack, at: number) => this.#giveBack(charges, reply, { ...of, at }),
      }
      if (slots.length === 0) return verdict
      for (const slot of slots) this.#held.add(slot)
      return { ...verdict, release: () => this.#release(slots) }
    } catch (error) {
      // What was charged all the same stays charged, but for slots: nobody would give them back before their lease ends.
      if (slots.length > 0) void asked.then(() => this.#release(slots)).catch(() => undefined)
      this.#failed(error)
      const cause = isOfOneKey(error) ? new UnreadableCount('a key holds no count', { cause: error }) : error
      return this.#without(charges, now, cause)
    }
  }

  /** The time as the script is told it; empty for the server's own. */
  #timeFor(now: number): string {
    const { timeOf } = this.#options
    return timeOf === undefined ? '' : String(timeOf(now))
  }

  /** In one round trip too. */
  async #giveBack(
    charges: readonly Charge[],
    { atMs, standings }: ChargeReply,
    { units, at }: GiveBack & { readonly at: number },
  ): Promise<GivenBack> {
    const isOfTime = (index: number) => charges[index]?.limit.kind !== 'concurrency'
    const given = charges.filter((_, index) => isOfTime(index))
    const of = { atMs, units, standings: standings.filter((_, index) => isOfTime(index)) }
    const keys = given.map((charge) => this.#keyOf(charge))
    const asked = this.#run(charging, keys, [this.#timeFor(at), ...giveBackArguments(given, of)])
    return readReply(given, await within(asked, this.#options.timeoutMs), true)
  }

  /** One key that cannot be read is no reason to leave the server alone. */
  #failed(error: unknown): void {
    const atMs = performance.now()
    if (!isOfOneKey(error)) {
      this.#restsUntilMs = atMs + restMs
      this.#tell(false, error)
    } else if (atMs >= this.#quietUntilMs) {
      this.#quietUntilMs = atMs + restMs
      this.#options.onUnreadable?.(error)
    }
  }

  /** A rate that is given another period begins anew: its debt is counted in the period. */
  #keyOf({ limit, key }: Pick<Charge, 'limit' | 'key'>): string {
    const { prefix, hash } = this.#options
    const period = 'periodMs' in limit ? `:${limit.periodMs}` : ''
    return `{${prefix}}:${limit.kind ?? 'gcra'}:${limit.name}${period}:${hash(key)}`
  }

  async forget(charged: Pick<Charge, 'limit' | 'key'>): Promise<void> {
    const { redis, local, timeoutMs } = this.#options
    await local.forget(charged)
    try {
      await within(redis.eval("return redis.call('DEL', KEYS[1])", [this.#keyOf(charged)], []), timeoutMs)
    } catch (cause) {
      const { name } = charged.limit
      throw new Problem('limits-unavailable', `the server that counts the limit \`${name}\` did not answer`, { cause })
    }
  }

  /** The server cannot be asked: each limit says what then. */
  #without(charges: readonly Charge[], now: number, cause?: unknown): LimiterVerdict | Promise<LimiterVerdict> {
    const refusing = charges.filter(({ onStoreFailure }) => onStoreFailure === 'refuse')
    if (refusing.length === 0) return this.#options.local.charge(charges, now)
    const names = refusing.map(({ limit }) => `\`${limit.name}\``).join(', ')
    throw new Problem('limits-unavailable', `the limit ${names} cannot be counted now`, {
      cause,
      members: { retryAfterSeconds: Math.ceil(restMs / 1_000) },
    })
  }

  async #run({ text, sha }: Script, keys: readonly string[], texts: readonly string[]): Promise<unknown> {
    const { redis } = this.#options
    try {
      return await redis.evalSha(sha, keys, texts)
    } catch (error) {
      // The server was started anew, or another one took its place.
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return redis.eval(text, keys, texts)
    }
  }

  #tell(isUp: boolean, error?: unknown): void {
    if (isUp === this.#isUp) return
    this.#isUp = isUp
    this.#options.onChange?.(isUp, error)
  }

  #release(slots: readonly Slot[]): void {
    for (const slot of slots) {
      this.#held.delete(slot)
      this.#options.redis.zRem(slot.key, slot.holder).catch(() => undefined)
    }
  }

  /** Lengthens the leases of all slots that are held. */
  async renew(): Promise<void> {
    const held = [...this.#held]
    for (let at = 0; at < held.length; at += renewedAtOnce) {
      const some = held.slice(at, at + renewedAtOnce)
      const texts = [String(this.#options.leaseMs), ...some.map(({ holder }) => holder)]
      const keys = some.map(({ key }) => key)
      // A server that does not answer now is asked again before the lease ends.
      await this.#run(renewing, keys, texts).catch(() => undefined)
    }
  }

  /** Gives back what is held. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#release([...this.#held])
  }
}

/** Whether a script failed over what a key holds, and not over how the server is. */
function isOfOneKey(error: unknown): boolean {
  const text = error instanceof Error ? error.message : ''
  return /^(?:WRONGTYPE|ERR) /.test(text) && text.includes('user_script') && !/\b(?:OOM|READONLY|MISCONF)\b/.test(text)
}

/** The value, or an error when it takes longer. */
function within<T>(value: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    value.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
