/** Asks again about consents that may become active: every half minute, since a notice may take longer, and soon after
 *  a notice, for what it does not tell. */
import type { Clock, RandomBytes } from '@comity/core/ports'
import type { HeldConsent } from './held-consent.ts'
import type { HeldStore } from './held-store.ts'

export interface HeldPollParts {
  readonly store: Pick<HeldStore, 'findOpen' | 'noteChecked'>
  readonly execute: (statements: readonly ReturnType<HeldStore['noteChecked']>[]) => Promise<unknown>
  readonly refresh: (id: string) => Promise<unknown>
  readonly clock: Clock
  readonly randomBytes: RandomBytes
  /** Told of what went wrong; asking goes on. */
  readonly onError: (error: unknown) => void
}

const periodMs = 30_000
const maxPerRound = 500
/** A notice is written down by then. */
const soonMs = 50
const maxTriesSoon = 3

export class HeldPoll implements AsyncDisposable {
  readonly #parts: HeldPollParts
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #running = new Set<Promise<void>>()
  #isStopped = false

  constructor(parts: HeldPollParts) {
    this.#parts = parts
  }

  /** Begins the rounds. */
  start(): void {
    // Between three and five quarters of the period: nodes that were started together do not stay so.
    const share = 0.75 + (this.#parts.randomBytes(1)[0] as number) / 512
    this.#after(periodMs * share, async () => {
      await this.round()
      this.start()
    })
  }

  /** Reads one consent once its notice is on disk; what fails then is for the next round. */
  readSoon(id: string, tries = 1): void {
    this.#after(soonMs * tries, async () => {
      try {
        await this.#parts.refresh(id)
      } catch (error) {
        if (tries < maxTriesSoon) this.readSoon(id, tries + 1)
        else this.#parts.onError(error)
      }
    })
  }

  /** Asks once about everything that is due. A source that does not answer is not asked for the rest of it. */
  async round(): Promise<void> {
    const { store, clock, onError } = this.#parts
    const due = await store.findOpen(clock.now() - periodMs / 2, maxPerRound).catch((error: unknown) => {
      onError(error)
      return []
    })
    const bySource = Map.groupBy(due, ({ source }) => source)
    await Promise.all([...bySource.values()].map((consents) => this.#ask(consents)))
  }

  async #ask(consents: readonly HeldConsent[]): Promise<void> {
    const { refresh, execute, store, clock, onError } = this.#parts
    for (const { id } of consents) {
      if (this.#isStopped) return
      try {
        await refresh(id)
      } catch (error) {
        onError(error)
        // Behind the others in the next round: one that always fails must not hold them up.
        await execute([store.noteChecked(id, clock.now())]).catch(onError)
        if (isAway(error)) return
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true
    for (const timer of this.#timers) clearTimeout(timer)
    await Promise.all(this.#running)
  }

  #after(delayMs: number, work: () => Promise<void>): void {
    if (this.#isStopped) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      const running: Promise<void> = work()
        .catch((error: unknown) => this.#parts.onError(error))
        .finally(() => this.#running.delete(running))
      this.#running.add(running)
    }, delayMs).unref()
    this.#timers.add(timer)
  }
}

const away: ReadonlySet<unknown> = new Set(['partner-unreachable', 'partner-timeout', 'tls-untrusted'])

function isAway(error: unknown): boolean {
  return error instanceof Error && 'code' in error && away.has(error.code)
}
