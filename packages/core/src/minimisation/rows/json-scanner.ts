/** Finds where a JSON value ends in text that arrives in pieces. What it finds is well-formed only if a parser says so. */
import type { RowDesk } from './row-stream.ts'

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

const isSpace = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

export class JsonScanner {
  readonly #desk: RowDesk
  #text = ''
  /** Where the reading is. */
  #at = 0
  /** Where the value that is under way began; -1 for none. */
  #start = -1
  /** Its text that was put aside, and how long that is. */
  #begun: string[] = []
  #begunLength = 0
  #depth = 0
  #isInString = false
  #isEscaped = false

  constructor(desk: RowDesk) {
    this.#desk = desk
  }

  /** Adds what has arrived. */
  add(text: string): void {
    this.#text = this.#text === '' ? text : this.#text + text
  }

  /** Lets go of what was read; of a value that is under way the text is put aside, so that it is not copied with every
   *  piece that arrives. */
  forget(): void {
    if (this.#start >= 0) {
      this.#begun.push(this.#text.slice(this.#start))
      this.#begunLength += this.#text.length - this.#start
      this.#text = ''
      this.#at = 0
      this.#start = 0
      return
    }
    if (this.#at === 0) return
    this.#text = this.#text.slice(this.#at)
    this.#at = 0
  }

  /** True within a value whose end has not come yet. */
  get isInside(): boolean {
    return this.#start >= 0
  }

  /** The next character that is no space, without taking it; undefined when there is none yet. */
  peek(): string | undefined {
    while (this.#at < this.#text.length && isSpace(this.#text.charCodeAt(this.#at))) this.#at++
    return this.#text[this.#at]
  }

  /** Takes the character that `peek` showed. */
  skip(): void {
    this.#at++
  }

  /** The text of the value that begins here, or of the one under way; undefined when its end has not come yet. */
  value(): string | undefined {
    if (this.#start < 0) {
      if (this.peek() === undefined) return undefined
      this.#start = this.#at
    }
    const end = this.#findEnd()
    this.#desk.ensureShort((end ?? this.#text.length) - this.#start + this.#begunLength)
    if (end === undefined) return undefined
    const text = this.#begun.join('') + this.#text.slice(this.#start, end)
    this.#begun = []
    this.#begunLength = 0
    this.#at = end
    this.#start = -1
    return text
  }

  /** The index behind the value. Goes on where it stopped. */
  #findEnd(): number | undefined {
    const text = this.#text
    let [at, depth, isInString] = [this.#at, this.#depth, this.#isInString]
    let end: number | undefined
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (isInString) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (code === backslash) this.#isEscaped = true
        else if (code === quote) {
          isInString = false
          if (depth === 0) break
        }
      } else if (code === quote) {
        isInString = true
      } else if (code === openBrace || code === openBracket) {
        if (++depth > this.#desk.limits.depth) throw this.#tooDeep()
      } else if (code === closeBrace || code === closeBracket) {
        // At depth 0 it is the bracket of what is around a number or a word.
        if (depth === 0) end = at
        if (depth <= 1) break
        depth--
      } else if (depth === 0 && (code === comma || code === colon || isSpace(code))) {
        end = at
        break
      }
    }
    const isFound = at < text.length
    this.#at = at
    this.#depth = isFound ? 0 : depth
    this.#isInString = isInString
    return isFound ? (end ?? at + 1) : undefined
  }

  #tooDeep() {
    const { depth } = this.#desk.limits
    return this.#desk.fault('too-deep', `is nested deeper than ${depth}`)
  }
}
