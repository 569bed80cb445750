/** A walk over a JSON text that tells what `JSON.parse` hides: a member that stands twice, depth and width, numbers that
 *  a double would change, and halves of surrogate pairs (RFC 8259 §4, I-JSON RFC 7493 §2). */
import { pointerAt } from './json-pointer-at.ts'

/** The rule that a text breaks. */
export type JsonRule = 'invalid-utf8' | 'malformed' | 'duplicate-member' | 'lone-surrogate' | 'too-deep' | 'too-wide'

/** Why a text is refused. The message is a sentence's end and holds no values; names of members stand in the pointer. */
export class JsonFault extends Error {
  readonly rule: JsonRule
  /** JSON pointer (RFC 6901) to where it is; empty for the text as a whole. */
  readonly pointer: string

  constructor(rule: JsonRule, detail: string, pointer = '') {
    super(detail)
    this.name = 'JsonFault'
    this.rule = rule
    this.pointer = pointer
  }
}

/** Objects and lists inside each other. */
export const maxJsonDepth = 64
/** Members of one object. */
export const maxJsonMembers = 65_536
/** Elements of one list. */
export const maxJsonElements = 1_048_576
/** Numbers that a double would change: each is kept by itself. */
export const maxExactNumbers = 262_144

/** What a text holds beside its values. */
export interface JsonScan {
  /** True when a number may be written in a way that a double would not be: more digits, `1.0`, `1e400`, `-0`. */
  readonly hasUnusualNumbers: boolean
  /** True when an escape may be half of a surrogate pair. */
  readonly hasSurrogateEscapes: boolean
}

const quote = 0x22
const plus = 0x2b
const comma = 0x2c
const minus = 0x2d
const dot = 0x2e
const zero = 0x30
const nine = 0x39
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/** Digits that every double keeps. */
const keptDigits = 15
/** Objects with more members are looked through with a set. */
const fewMembers = 12

/** Walks over a text that `JSON.parse` takes. Throws `JsonFault`. */
export function scanJson(text: string): JsonScan {
  return new Scanner(text).scan()
}

/** One walk. What it has to remember of names are hashes of 30 bits; only when two in an object are the same are the
 *  names themselves compared. */
class Scanner {
  readonly #text: string
  #at = 0
  #hasUnusualNumbers = false
  #hasSurrogateEscapes = false
  /** Of each name in the objects that are open: hash, where its text begins, where it ends. */
  readonly #hashes: number[] = []
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  /** For each open object or list: how many names there were before it, or -1 for a list. */
  readonly #open: number[] = []
  /** For each open object or list: how many commas there were in it. */
  readonly #commas: number[] = []
  #exactNumbers = 0

  constructor(text: string) {
    this.#text = text
  }

  scan(): JsonScan {
    const text = this.#text
    let expectsName = false
    for (; this.#at < text.length; this.#at++) {
      const code = text.charCodeAt(this.#at)
      if (code === quote) {
        if (expectsName) this.#name()
        else this.#skipString()
        expectsName = false
      } else if (code === comma) {
        expectsName = this.#comma()
      } else if (code === openBrace || code === openBracket) {
        expectsName = code === openBrace
        this.#enter(expectsName ? this.#hashes.length : -1)
      } else if (code === closeBrace || code === closeBracket) {
        const before = this.#open.pop() as number
        this.#commas.pop()
        if (before >= 0) this.#leaveObject(before)
        expectsName = false
      } else if (code === minus || (code >= zero && code <= nine)) {
        this.#number(code)
      }
    }
    return { hasUnusualNumbers: this.#hasUnusualNumbers, hasSurrogateEscapes: this.#hasSurrogateEscapes }
  }

  #enter(before: number): void {
    if (this.#open.length >= maxJsonDepth) throw this.#fault('too-deep', `is nested deeper than ${maxJsonDepth}`)
    this.#open.push(before)
    this.#commas.push(0)
  }

  /** True when a name comes next. */
  #comma(): boolean {
    const at = this.#open.length - 1
    if ((this.#open[at] as number) >= 0) return true
    const commas = (this.#commas[at] as number) + 1
    if (commas >= maxJsonElements) throw this.#fault('too-wide', `has over ${maxJsonElements} elements`)
    this.#commas[at] = commas
    return false
  }

  #skipString(): void {
    const text = this.#text
    let at = this.#at + 1
    for (let code = text.charCodeAt(at); code !== quote; code = text.charCodeAt(++at)) {
      if (code === backslash) this.#escape(++at)
    }
    this.#at = at
  }

  #escape(at: number): void {
    // `\ud8…` to `\udf…`
    const text = this.#text
    if (text[at] === 'u' && (text.charCodeAt(at + 1) | 0x20) === 0x64 && text.charCodeAt(at + 2) >= 0x38) {
      this.#hasSurrogateEscapes = true
    }
  }

  #name(): void {
    const text = this.#text
    const start = this.#at
    let at = start + 1
    let hash = 0
    for (let code = text.charCodeAt(at); code !== quote; code = text.charCodeAt(++at)) {
      if (code === backslash) return this.#escapedName(start)
      hash = (hash * 31 + code) & 0x3fffffff
    }
    this.#at = at
    this.#remember(hash, start, at)
  }

  #escapedName(start: number): void {
    this.#skipString()
    const end = this.#at
    const name = JSON.parse(this.#text.slice(start, end + 1)) as string
    let hash = 0
    for (let at = 0; at < name.length; at++) hash = (hash * 31 + name.charCodeAt(at)) & 0x3fffffff
    this.#remember(hash, start, end)
  }

  #remember(hash: number, start: number, end: number): void {
    this.#hashes.push(hash)
    this.#starts.push(start)
    this.#ends.push(end)
  }

  #leaveObject(before: number): void {
    const count = this.#hashes.length - before
    if (count > maxJsonMembers) {
      this.#at = this.#starts[before] as number
      throw this.#fault('too-wide', `has over ${maxJsonMembers} members`)
    }
    if (count > 1 && this.#mayRepeat(before)) this.#refuseRepetition(before)
    this.#hashes.length = before
    this.#starts.length = before
    this.#ends.length = before
  }

  #mayRepeat(before: number): boolean {
    const hashes = this.#hashes
    const count = hashes.length - before
    if (count > fewMembers) return new Set(before === 0 ? hashes : hashes.slice(before)).size < count
    for (let one = before + 1; one < hashes.length; one++) {
      for (let other = before; other < one; other++) if (hashes[one] === hashes[other]) return true
    }
    return false
  }

  #refuseRepetition(before: number): void {
    const names = new Set<string>()
    for (let index = before; index < this.#starts.length; index++) {
      const [start, end] = [this.#starts[index] as number, this.#ends[index] as number]
      const name = JSON.parse(this.#text.slice(start, end + 1)) as string
      if (names.has(name)) {
        this.#at = start
        throw this.#fault('duplicate-member', 'has a member twice')
      }
      names.add(name)
    }
  }

  #number(first: number): void {
    const text = this.#text
    let at = this.#at
    let code = first
    let digits = 0
    let last = first
    let isUnusual = false
    let hasDot = false
    for (; (code >= zero && code <= nine) || code === dot || code === minus; code = text.charCodeAt(++at)) {
      if (code === dot) hasDot = true
      else if (code !== minus) digits++
      last = code
    }
    if ((code | 0x20) === 0x65) {
      isUnusual = true
      for (code = text.charCodeAt(++at); (code >= zero && code <= nine) || code === plus || code === minus;) {
        code = text.charCodeAt(++at)
      }
    }
    // Small fractions are written with an exponent, -0 without its sign.
    const isTiny = hasDot && digits > 7 && text.startsWith('0.000000', first === minus ? this.#at + 1 : this.#at)
    const isNegativeZero = first === minus && digits === 1 && last === zero
    if (isUnusual || digits > keptDigits || (hasDot && last === zero) || isTiny || isNegativeZero) {
      // Doubles are commonly written with 16 or 17 digits, which they keep.
      const source = text.slice(this.#at, at)
      if (String(Number(source)) !== source) this.#exactNumber()
    }
    this.#at = at - 1
  }

  #exactNumber(): void {
    this.#hasUnusualNumbers = true
    if (++this.#exactNumbers > maxExactNumbers) {
      throw new JsonFault('too-wide', `has over ${maxExactNumbers} numbers that a double would change`)
    }
  }

  #fault(rule: JsonRule, detail: string): JsonFault {
    return new JsonFault(rule, detail, pointerAt(this.#text, this.#at))
  }
}
