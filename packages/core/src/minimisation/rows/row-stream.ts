/** Answers taken apart row by row while they pass by: bytes go in as they come, the bytes of what is released go out.
 *  Nothing is kept but the row that is under way, so an answer may be as large as it likes. */

import { plainJson } from '../../bytes/exact-json.ts'
import type { JsonRule } from '../../bytes/json-scan.ts'

/** The formats whose rows can be told apart without reading to the end. */
export type RowFormat = 'json' | 'ndjson' | 'csv'

/** An answer in one of the formats. Both methods throw `RowFault`, after which the stream gives nothing more. */
export interface RowStream {
  /** Takes the next bytes, cut anywhere; gives what they release, which may be nothing. */
  push(chunk: Uint8Array): Uint8Array
  /** The answer is over; gives what was still to come. */
  end(): Uint8Array
  /** Rows that came, and those of which something left. */
  readonly counts: RowCounts
}

export interface RowCounts {
  readonly read: number
  readonly released: number
}

/** What no answer may exceed. */
export interface RowLimits {
  /** Of one row, and of one member beside the rows, in UTF-16 units of its text. */
  readonly length: number
  /** Columns of a table. */
  readonly columns: number
  /** Objects and lists inside each other in one row. */
  readonly depth: number
}

export const defaultRowLimits: RowLimits = { length: 1_048_576, columns: 1_000, depth: 64 }

/** What is done with each row. */
export interface RowWork {
  /** The value of a JSON text. Throws, `JsonFault` for instance, for a text that is none or that two programs could read
   *  differently. */
  readonly parse: (text: string) => unknown
  /** The JSON text of a value that `parse` or `release` gave. */
  readonly write: (value: unknown) => string
  /** Why a row, with doubles as its numbers, is not as declared; undefined when it is. */
  readonly check: (row: unknown) => string | undefined
  /** What leaves of a row that passed the check; undefined for nothing. Never changes the row. */
  readonly release: (row: unknown) => unknown
  /** Rows that can be told at the end only, groups for example. */
  readonly flush?: () => readonly unknown[]
}

/** Which rule an answer broke. */
export type RowRule =
  JsonRule | 'unterminated' | 'undeclared' | 'row-too-long' | 'too-many-columns' | 'uneven-columns' | 'too-many-groups'

/** Why an answer cannot go on. The message is for the operator: it names members and rules, never values. */
export class RowFault extends Error {
  readonly rule: RowRule
  /** Number of the row, from 1; 0 before the first. */
  readonly row: number

  constructor(rule: RowRule, detail: string, place: { readonly row: number; readonly cause?: unknown }) {
    const where = place.row === 0 ? 'before the first row' : `row ${place.row}`
    super(`${where}: ${rule}: ${detail}`, place.cause === undefined ? {} : { cause: place.cause })
    this.name = 'RowFault'
    this.rule = rule
    this.row = place.row
  }
}

/** Counts rows, and does with each what is to be done. */
export class RowDesk {
  readonly limits: RowLimits
  readonly #work: RowWork
  #read = 0
  #released = 0

  constructor(work: RowWork, limits: RowLimits) {
    this.#work = work
    this.limits = limits
  }

  get counts(): RowCounts {
    return { read: this.#read, released: this.#released }
  }

  fault(rule: RowRule, detail: string, cause?: unknown): RowFault {
    return new RowFault(rule, detail, { row: this.#read, cause })
  }

  /** Begins the next row: faults name it from now on. */
  begin(): void {
    this.#read++
  }

  /** The value of a piece of JSON. */
  parse(text: string): unknown {
    this.ensureShort(text.length)
    return this.#guarded(() => this.#work.parse(text), 'malformed')
  }

  write(value: unknown): string {
    return this.#work.write(value)
  }

  /** What leaves of the row that was begun; `plain` is the row as a schema can judge it. */
  release(row: unknown, plain: unknown = plainJson(row)): unknown {
    const wrong = this.#work.check(plain)
    if (wrong !== undefined) throw this.fault('undeclared', wrong)
    const released = this.#guarded(() => this.#work.release(row))
    if (released !== undefined) this.#released++
    return released
  }

  /** What was kept back to the end of the rows. */
  flush(): readonly unknown[] {
    const rows = this.#work.flush?.() ?? []
    this.#released += rows.length
    return rows
  }

  /** Gives a broken rule its row; what names none breaks `otherwise`, or is a fault of the program. */
  #guarded<T>(run: () => T, otherwise?: RowRule): T {
    try {
      return run()
    } catch (error) {
      const { rule = otherwise, message } = error as { rule?: RowRule; message: string }
      if (rule === undefined || error instanceof RowFault) throw error
      throw this.fault(rule, message, error)
    }
  }

  ensureShort(length: number): void {
    if (length > this.limits.length) throw this.fault('row-too-long', `is over ${this.limits.length} characters`)
  }
}
