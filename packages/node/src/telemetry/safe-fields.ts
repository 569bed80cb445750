/** Makes a value fit for a log: nothing secret, nobody's data, no end of text. Every field of every line goes through
 *  here, so that a careless caller does no harm. */
import { Problem } from '@comity/core/problems'

const maxText = 1_000
const maxStack = 4_000
const maxEntries = 50
const maxDepth = 6
const hidden = '[redacted]'

/** Fields whose value is never logged, whatever it is. */
const secretName =
  /authorization|cookie|pass(?:word|phrase)|secret|token|api[-_]?key|private|signature|nonce|credential|^(?:d|jwk|pem|salt|body|payload|rawBody|content|headers|query|search)$/i

/** Pieces of text that are secret or somebody's data wherever they stand. */
const secretText: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, hidden],
  // Admin tokens and secrets of webhooks.
  [/\b(cmty_admin_)[0-9A-Za-z]{6,}/g, `$1${hidden}`],
  [/\b(whs(?:ec|k)_)[A-Za-z0-9+/]{16,}={0,2}/g, `$1${hidden}`],
  // Compact JWS and JWT: three parts of base64url, the first a JSON object.
  [/\beyJ[\w-]{5,}\.[\w-]*(?:\.[\w-]*){0,3}(?:~[\w.-]*)*/g, hidden],
  // API keys: which one may be known, its secret not.
  [/(cmty_[a-z]{4}_[0-9A-Za-z]{8}_)[0-9A-Za-z]+/g, `$1${hidden}`],
  [/\b(Bearer|Basic|DPoP|Comity|Digest)\s+[\w+/=.~:-]{6,}/gi, `$1 ${hidden}`],
  // Queries and user information of addresses, and of bare paths.
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#@`"']+@/gi, `$1${hidden}@`],
  [/(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s?#`"']*|(?:^|[\s`"'(])\/[^\s?#`"']*)[?#][^\s`"']+/gi, `$1?${hidden}`],
]

/** The value as it may be logged: a fresh copy, bounded in depth, breadth and length. */
export function safeFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return safeMapping(fields, 0)
}

/** Text without what must not be logged, cut to a bounded length. */
export function safeText(text: string, longest = maxText): string {
  // Cut first, with room to see a secret whole: replacing is linear, but in text of anybody's length.
  let safe = text.length > longest * 2 ? text.slice(0, longest * 2) : text
  for (const [pattern, replacement] of secretText) safe = safe.replace(pattern, replacement)
  return safe.length > longest ? `${safe.slice(0, longest)}…` : safe
}

/** An error with its kind, code, text, stack and causes. */
export function safeError(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: safeText(String(error)) }
  const code = error instanceof Problem ? error.code : (error as NodeJS.ErrnoException).code
  return {
    name: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    message: safeText(error.message),
    ...(error.stack === undefined ? {} : { stack: safeText(framesOf(error.stack), maxStack) }),
    ...(error.cause === undefined || depth >= 4 ? {} : { cause: safeError(error.cause, depth + 1) }),
  }
}

/** The lines of a stack that are places in the code; the text before them is the message again. */
function framesOf(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n')
}

function safeMapping(value: object, depth: number): Record<string, unknown> {
  const safe: Record<string, unknown> = {}
  for (const [name, item] of Object.entries(value).slice(0, maxEntries)) {
    if (item !== undefined) safe[name] = secretName.test(name) ? hidden : safeValue(item, depth + 1)
  }
  return safe
}

function safeValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return safeText(value)
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? '[function]' : value
  if (value instanceof Error) return safeError(value)
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  if (value instanceof URL) return safeText(value.href)
  if (depth >= maxDepth) return '[deeper]'
  if (Array.isArray(value)) return value.slice(0, maxEntries).map((item) => safeValue(item, depth + 1))
  return isPlain(value) ? safeMapping(value, depth) : `[${value.constructor.name}]`
}

/** Objects of classes may hold anything behind their getters; only plain ones are shown. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
