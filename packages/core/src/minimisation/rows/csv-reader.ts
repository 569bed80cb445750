/** Records of comma-separated values (RFC 4180) out of text that arrives in pieces: commas, double quotes, and CRLF or LF.
 *  What is not exactly so is a fault, since two programs could read it differently. */
import type { RowDesk } from './row-stream.ts'

const quote = 0x22
const comma = 0x2c
const lineFeed = 0x0a
const carriageReturn = 0x0d

/** A record whose end has been seen, and where the next one begins. */
interface ReadRecord {
  readonly fields: string[]
  readonly next: number
}

/** A field, and where what follows it stands; undefined when its end has not come yet. */
interface ReadField {
  readonly value: string
  readonly next: number
}

export class CsvReader {
  readonly #desk: RowDesk
  /** What came since the last record that was read, and how long it is. */
  #pieces: string[] = []
  #length = 0
  /** True within quotes, at the end of what came. */
  #isQuoted = false
  #text = ''
  /** True when nothing more will come. */
  #isLast = false

  constructor(desk: RowDesk) {
    this.#desk = desk
  }

  /** The records that the text completes. An empty line is none. What completes none is only looked through: a record in
   *  many pieces is read once. */
  *push(text: string): Iterable<string[]> {
    this.#pieces.push(text)
    this.#length += text.length
    if (this.#endsRecord(text)) yield* this.#records()
    else this.#desk.ensureShort(this.#length)
  }

  /** The record that had no end of line. */
  *end(): Iterable<string[]> {
    this.#isLast = true
    yield* this.#records()
  }

  /** True when a line ends in the text, outside quotes. A quote where none may stand is found when the record is read. */
  #endsRecord(text: string): boolean {
    let ends = false
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === quote) this.#isQuoted = !this.#isQuoted
      else if (code === lineFeed && !this.#isQuoted) ends = true
    }
    return ends
  }

  *#records(): Iterable<string[]> {
    let from = 0
    this.#text = this.#pieces.join('')
    while (from < this.#text.length) {
      const record = this.#record(from)
      this.#desk.ensureShort((record?.next ?? this.#text.length) - from)
      if (record === undefined) break
      const first = this.#text.charCodeAt(from)
      from = record.next
      if (first !== lineFeed && first !== carriageReturn) yield record.fields
    }
    this.#pieces = [this.#text.slice(from)]
    this.#length = this.#text.length - from
    this.#text = ''
  }

  #record(from: number): ReadRecord | undefined {
    const fields: string[] = []
    for (let at = from; ; at++) {
      const field = this.#text.charCodeAt(at) === quote ? this.#quoted(at + 1) : this.#plain(at)
      if (field === undefined) return undefined
      fields.push(field.value)
      if (fields.length > this.#desk.limits.columns) {
        throw this.#desk.fault('too-many-columns', `has over ${this.#desk.limits.columns} columns`)
      }
      at = field.next
      if (this.#text.charCodeAt(at) === comma) continue
      const next = this.#endOfLine(at)
      return next === undefined ? undefined : { fields, next }
    }
  }

  /** Where the next record begins, when this one ends here. */
  #endOfLine(at: number): number | undefined {
    const code = this.#text.charCodeAt(at)
    if (code === lineFeed) return at + 1
    if (code === carriageReturn && this.#text.charCodeAt(at + 1) === lineFeed) return at + 2
    const isOver = at >= this.#text.length || (code === carriageReturn && at + 1 >= this.#text.length)
    if (isOver) return this.#isLast ? this.#text.length : undefined
    throw this.#desk.fault('malformed', 'a quoted field is followed by something else, or a line ends in CR alone')
  }

  #plain(from: number): ReadField | undefined {
    const text = this.#text
    let at = from
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === comma || code === lineFeed || code === carriageReturn)
        return { value: text.slice(from, at), next: at }
      if (code === quote) throw this.#desk.fault('malformed', 'a quote stands in a field that is not quoted')
    }
    return this.#isLast ? { value: text.slice(from), next: at } : undefined
  }

  #quoted(from: number): ReadField | undefined {
    const text = this.#text
    let value = ''
    for (let start = from; ;) {
      const end = text.indexOf('"', start)
      if (end < 0) {
        if (this.#isLast) throw this.#desk.fault('unterminated', 'the answer ends within quotes')
        return undefined
      }
      // Whether a second quote follows is not known before it may have come.
      if (end + 1 >= text.length && !this.#isLast) return undefined
      if (text.charCodeAt(end + 1) !== quote) return { value: value + text.slice(start, end), next: end + 1 }
      value += text.slice(start, end + 1)
      start = end + 2
    }
  }
}
