/** When the log is integrated: soon after an append, at most once in an interval, again and again later while it
 *  fails. Timers only: how long ago something was does not matter, only that enough time has passed. */

interface ScheduleOptions {
  /** Does the work; rejects when it has to be tried again. */
  readonly run: () => Promise<void>
  /** True when there is work. */
  readonly isDue: () => boolean
  /** Least time between the end of one run and the next; also the first wait after a failure. */
  readonly intervalMs: number
  /** Told of every run that failed; the next is tried after at most four intervals. */
  readonly onFailure: (error: unknown) => void
}

/** Gathers the appends of a burst; short against the interval. */
const gatherMs = 20
/** While publishing fails the log soon takes no entries, so it must be found well again within seconds. */
const maxBackoff = 4

export class IntegrationSchedule {
  readonly #options: ScheduleOptions
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #failures = 0
  #isClosed = false

  constructor(options: ScheduleOptions) {
    this.#options = options
  }

  /** Says that there may be work. */
  notify(): void {
    this.#wait(Math.min(gatherMs, this.#options.intervalMs))
  }

  /** Starts no more runs; resolves when the one that runs has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#running
  }

  #wait(ms: number): void {
    if (this.#timer !== undefined || this.#running !== undefined || this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#options.isDue()) this.#running = this.#run()
    }, ms).unref()
  }

  async #run(): Promise<void> {
    try {
      await this.#options.run()
      this.#failures = 0
    } catch (error) {
      this.#failures++
      this.#options.onFailure(error)
    }
    this.#running = undefined
    this.#wait(this.#options.intervalMs * Math.min(maxBackoff, 2 ** Math.max(0, this.#failures - 1)))
  }
}
