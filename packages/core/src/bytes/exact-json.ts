/** JSON whose numbers keep every digit: one that a double would change (`1.0`, `1e400`, thirty digits) is kept as it was
 *  written and leaves as it was written. All other values are what `JSON.parse` gives. */
import { JsonFault, scanJson } from './json-scan.ts'

/** A number as it was written, in the place of one that a double would change. */
export class ExactNumber {
  /** A JSON number (RFC 8259 §6). */
  readonly source: string

  constructor(source: string) {
    this.source = source
  }

  toJSON(): unknown {
    return rawJson(this.source)
  }
}

/** Source text access of ECMAScript, which TypeScript does not know yet. */
interface JsonWithSource {
  rawJSON(text: string): unknown
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
}

const { rawJSON: rawJson, parse: parseWith } = JSON as unknown as JsonWithSource

/** By the exact value: the same with nothing but doubles. */
const plainValues = new WeakMap<object, unknown>()

/** The value of a JSON text: numbers that a double would change are `ExactNumber`s. Throws `JsonFault`. */
export function parseExactJson(text: string): unknown {
  const { value, hasUnusualNumbers } = readJson(text)
  return hasUnusualNumbers ? withExactNumbers(text, value) : value
}

/** The value of a JSON text with doubles alone, as `JSON.parse` gives it. Throws `JsonFault`. */
export function parsePlainJson(text: string): unknown {
  return readJson(text).value
}

function readJson(text: string): { readonly value: unknown; readonly hasUnusualNumbers: boolean } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new JsonFault('malformed', 'is not JSON')
  }
  const { hasUnusualNumbers, hasSurrogateEscapes } = scanJson(text)
  if (hasSurrogateEscapes) refuseLoneSurrogates(value, '')
  return { value, hasUnusualNumbers }
}

function withExactNumbers(text: string, plain: unknown): unknown {
  let isExact = false
  let isFinite = true
  const value = parseWith(text, (_, found, { source = '' }) => {
    if (typeof found !== 'number' || String(found) === source) return found
    isExact = true
    isFinite &&= Number.isFinite(found)
    return new ExactNumber(source)
  })
  if (!isExact) return plain
  plainValues.set(
    value as object,
    isFinite ? plain : parseWith(text, (_, found) => (isInfinite(found) ? nearestDouble(found) : found)),
  )
  return value
}

const isInfinite = (value: unknown): value is number => value === Infinity || value === -Infinity
const nearestDouble = (value: number): number => Math.sign(value) * Number.MAX_VALUE

/** The value that `parseExactJson` gave, with the nearest doubles as its numbers: what a schema can judge. The same
 *  object where every number is one already. */
export function plainJson(value: unknown): unknown {
  return typeof value === 'object' && value !== null && plainValues.has(value) ? plainValues.get(value) : value
}

/** The text of a value, exact numbers as they were written. */
export function writeExactJson(value: unknown): string {
  return JSON.stringify(value)
}

function refuseLoneSurrogates(value: unknown, pointer: string): void {
  if (typeof value === 'string' && !value.isWellFormed()) {
    throw new JsonFault('lone-surrogate', 'holds half of a character', pointer)
  }
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) {
    if (!name.isWellFormed())
      throw new JsonFault('lone-surrogate', 'has a name that holds half of a character', pointer)
    refuseLoneSurrogates(member, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`)
  }
}
