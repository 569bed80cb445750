/** Keeps count of the demo's steps and hands what came of each to a voice. */
import type { Voice } from './voices.ts'

/** What came of a step. */
export interface Outcome<T> {
  /** A few words. */
  readonly detail: string
  /** A sentence more, for instance what a refused caller reads. */
  readonly note?: string
  readonly value: T
}

export interface Report {
  /** How many steps did not do what they must. */
  readonly failed: number
  readonly done: number
  chapter(title: string, sentence: string): void
  /** Does a step and tells its outcome and time. Throws what `work` throws, after telling it. */
  step<T>(name: string, work: () => Promise<Outcome<T>>): Promise<T>
  /** Does a step that others do not need: when it fails, that is told, and the next one begins. */
  attempt(name: string, work: () => Promise<Outcome<unknown>>): Promise<void>
  /** Lines for people only. */
  say(...lines: readonly string[]): void
  /** Tells nothing more, and begins no more steps. */
  interrupt(): void
}

export function createReport(voice: Voice): Report {
  const state = { failed: 0, done: 0, isInterrupted: false }
  const say = (line: string): void => {
    if (!state.isInterrupted) voice.say(line)
  }
  async function step<T>(name: string, work: () => Promise<Outcome<T>>): Promise<T> {
    if (state.isInterrupted) throw new Error('interrupted')
    voice.begin(name)
    const startedMs = performance.now()
    const tell = (ok: boolean, detail: string, note?: string): void => {
      const ms = Math.round((performance.now() - startedMs) * 10) / 10
      if (!state.isInterrupted) voice.tell({ step: name, ok, ms, detail, note })
    }
    try {
      const { detail, note, value } = await work()
      state.done += 1
      tell(true, detail, note)
      return value
    } catch (error) {
      state.failed += 1
      tell(false, error instanceof Error ? error.message : String(error))
      throw error
    }
  }
  return {
    get failed() {
      return state.failed
    },
    get done() {
      return state.done
    },
    step,
    async attempt(name, work) {
      await step(name, work).catch(() => undefined)
    },
    chapter: (title, sentence) => voice.chapter(title, sentence),
    say: (...lines) => lines.forEach(say),
    interrupt() {
      state.isInterrupted = true
      voice.end()
    },
  }
}
