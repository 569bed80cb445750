/** Whether the storage takes what the log writes. While it does not, the log refuses at once instead of promising what
 *  it cannot keep, and asks again by itself until the storage is well. */
import { Problem } from '@comity/core/problems'

interface LogHealthOptions {
  /** Writes something small and harmless, durably; rejects while the storage takes nothing. */
  readonly probe: () => Promise<unknown>
  /** Least time between two probes. */
  readonly intervalMs: number
}

/** One publication that fails may be chance and is tried again within seconds; from this one on, in a row, entries
 *  could not be proved in the time that receipts promise. */
const failuresToRefuse = 3

export class LogHealth {
  readonly #options: LogHealthOptions
  #takesCommits = true
  #failedPublications = 0
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: LogHealthOptions) {
    this.#options = options
  }

  get isWell(): boolean {
    return this.#takesCommits && this.#failedPublications < failuresToRefuse
  }

  /** The reason to refuse an append without trying. Commits are tried always: that is how a storage is found well. */
  get refusal(): Problem | undefined {
    if (this.#failedPublications < failuresToRefuse) return undefined
    return new Problem('storage-failed', 'the log cannot be published')
  }

  committed(): void {
    this.#takesCommits = true
  }

  commitFailed(): void {
    this.#takesCommits = false
    this.#probeLater()
  }

  published(): void {
    this.#failedPublications = 0
  }

  publicationFailed(): void {
    this.#failedPublications += 1
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #probeLater(): void {
    if (this.#timer !== undefined || this.#isClosed) return
    this.#timer = setTimeout(() => void this.#probe(), this.#options.intervalMs).unref()
  }

  async #probe(): Promise<void> {
    try {
      if (!this.#takesCommits) await this.#options.probe()
      this.#takesCommits = true
      this.#timer = undefined
    } catch {
      this.#timer = undefined
      this.#probeLater()
    }
  }
}
