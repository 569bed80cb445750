/** Who may call a product when: a bounded queue in front of the announced budget, by priority, then first come first
 *  served. */
import { readBudget, readSlots, spend, waitMs, type Budget } from './announced-budget.ts'
import { ComityError } from './comity-error.ts'
import type { Deadline } from './deadline.ts'
import type { World } from './world.ts'

export interface PacerOptions {
  /** Calls under way at once. */
  readonly maxConcurrent: number
  /** Calls that wait for a turn. */
  readonly maxQueued: number
}

/** What a finished attempt taught. */
export interface Lesson {
  /** The fields `RateLimit-Policy` and `RateLimit`. */
  readonly policy: string | null
  readonly rateLimit: string | null
  /** The answer was 429 or 503. */
  readonly isPushedBack: boolean
  /** Nobody calls for so long. */
  readonly pauseMs: number
}

/** The right to send one attempt. */
export interface Turn {
  /** Must be called, without a lesson when there was no answer; only the first time counts. */
  end(lesson?: Lesson): void
}

/** What goes before what, while calls must wait. */
export const priorities = ['high', 'normal', 'low'] as const
export type Priority = (typeof priorities)[number]

/** One attempt that asks for a turn. */
export interface TurnWanted {
  readonly deadline: Deadline
  /** It had a turn before, and goes before those of its priority that never had one. */
  readonly isRepeated: boolean
  readonly priority: Priority
}

interface Waiter {
  readonly deadline: Deadline
  readonly isRepeated: boolean
  /** Lower goes first. */
  readonly rank: number
  readonly start: (turn: Turn) => void
  readonly fail: (error: unknown) => void
}

/** Calls under way before the first answer has announced anything. */
const firstWindow = 4

/** Paces the calls of one product. Owns a timer while calls wait and none otherwise. */
export class Pacer {
  readonly #options: PacerOptions
  readonly #world: Pick<World, 'clock' | 'sleep'>
  readonly #queue: Waiter[] = []
  #budget: Budget = []
  #pausedUntilMs = 0
  #underWay = 0
  /** How many may be under way: halved when pushed back, one more with every good answer. */
  #window: number
  /** How many the announced concurrency limits let be under way. */
  #slots = Infinity
  #started = 0
  #newestLesson = 0
  #timer = new AbortController()

  constructor(options: PacerOptions, world: Pick<World, 'clock' | 'sleep'>) {
    this.#options = options
    this.#world = world
    this.#window = Math.min(options.maxConcurrent, firstWindow)
  }

  /** Waits for a turn. Throws `queue-full`, `queue-timeout` (no turn can come before the deadline), or the reason of
   *  the deadline's signal. A full queue gives up the newest call of the lowest priority in it. */
  turn({ deadline, isRepeated, priority }: TurnWanted): Promise<Turn> {
    const { signal } = deadline
    if (signal.aborted) return Promise.reject(signal.reason as Error)
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#dismiss(waiter, signal.reason)
        this.#advance()
      }
      const settled = () => signal.removeEventListener('abort', leave)
      const waiter: Waiter = {
        deadline,
        isRepeated,
        rank: 2 * priorities.indexOf(priority) + (isRepeated ? 0 : 1),
        start: (turn) => (settled(), resolve(turn)),
        fail: (error) => (settled(), reject(error)),
      }
      signal.addEventListener('abort', leave)
      this.#enqueue(waiter)
    })
  }

  #enqueue(waiter: Waiter): void {
    const { maxQueued } = this.#options
    const behind = this.#queue.findIndex(({ rank }) => rank > waiter.rank)
    this.#queue.splice(behind < 0 ? this.#queue.length : behind, 0, waiter)
    this.#advance()
    // Only what cannot start at once takes room in the queue; a repeated attempt had its room already.
    if (waiter.isRepeated || this.#queue.length <= maxQueued || !this.#queue.includes(waiter)) return
    const last = this.#queue.findLast(({ isRepeated }) => !isRepeated) ?? waiter
    this.#dismiss(last, new ComityError('queue-full', `${maxQueued} calls wait for their turn already`))
    if (this.#queue.length === 0) this.#timer.abort()
  }

  #dismiss(waiter: Waiter, error: unknown): void {
    const place = this.#queue.indexOf(waiter)
    if (place >= 0) this.#queue.splice(place, 1)
    waiter.fail(error)
  }

  /** Starts what may start, and wakes up again for the rest. */
  #advance(): void {
    this.#timer.abort()
    this.#dismissHopeless()
    while (this.#queue.length > 0 && this.#underWay < Math.min(this.#window, this.#slots)) {
      const nowMs = this.#world.clock.now()
      const holdMs = Math.max(this.#pausedUntilMs - nowMs, waitMs(this.#budget, nowMs))
      if (holdMs > 0) return this.#wakeIn(holdMs)
      this.#budget = spend(this.#budget, nowMs)
      this.#queue.shift()?.start(this.#begin())
    }
  }

  #wakeIn(ms: number): void {
    const timer = new AbortController()
    this.#timer = timer
    void this.#world.sleep(ms, timer.signal).then(() => {
      if (!timer.signal.aborted) this.#advance()
    })
  }

  /** A budget may turn out larger with the answers that are under way; a pause never gets shorter. */
  #dismissHopeless(): void {
    const nowMs = this.#world.clock.now()
    const budgetAtMs = this.#underWay === 0 ? nowMs + waitMs(this.#budget, nowMs) : 0
    const untilMs = Math.max(this.#pausedUntilMs, budgetAtMs)
    const seconds = Math.ceil((untilMs - nowMs) / 1_000)
    for (const waiter of this.#queue.filter(({ deadline }) => deadline.atMs < untilMs)) {
      this.#dismiss(waiter, new ComityError('queue-timeout', `the product takes no call for another ${seconds} s`))
    }
  }

  #begin(): Turn {
    const number = ++this.#started
    this.#underWay += 1
    let isOver = false
    return {
      end: (lesson) => {
        if (isOver) return
        isOver = true
        if (lesson !== undefined) this.#learn(number, lesson)
        this.#underWay -= 1
        this.#advance()
      },
    }
  }

  #learn(number: number, { policy, rateLimit, isPushedBack, pauseMs }: Lesson): void {
    const nowMs = this.#world.clock.now()
    const { maxConcurrent } = this.#options
    this.#window = isPushedBack ? Math.max(1, Math.floor(this.#window / 2)) : Math.min(maxConcurrent, this.#window + 1)
    if (pauseMs > 0) this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + pauseMs)
    // Answers may overtake each other; an older one knows less than was already learned.
    if (number < this.#newestLesson) return
    const others = this.#underWay - 1
    const budget = readBudget({ policy, rateLimit, underWay: others }, nowMs)
    // What was refused holds no slot.
    const slots = readSlots({ policy, rateLimit, underWay: isPushedBack ? others : this.#underWay })
    if (budget === undefined && slots === undefined) return
    this.#newestLesson = number
    this.#budget = budget ?? this.#budget
    this.#slots = slots ?? Infinity
  }
}
