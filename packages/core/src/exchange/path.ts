/** The target of a request, read so that nobody behind the node can read it differently. RFC 3986 §6.2.2
 *  normalisation where it is safe; where two readings are possible the request is refused, never repaired. */
import { Problem } from '../problems.ts'

/** Longest path, in characters as sent. */
export const maxPathLength = 4 * 1024
/** Longest query, in characters as sent, with its question mark. */
export const maxQueryLength = 8 * 1024

const lookAlike = 'the path holds a look-alike of a character that structures paths'

/** A request target taken apart, both parts as sent. */
export interface Target {
  /** Begins with a slash. Not normalised, for signatures cover it as sent. */
  readonly path: string
  /** `?` and what follows; a bare `?` when there is none (RFC 9421 §2.2.7). */
  readonly query: string
}

/** Splits an HTTP request target in origin-form (RFC 9112 §3.2.1). Throws `malformed-request` for absolute-form,
 *  authority-form, asterisk-form, fragments, and characters that may not stand raw in a target; `target-too-long`
 *  beyond 4 KiB of path or 8 KiB of query. */
export function parseTarget(target: string): Target {
  if (!target.startsWith('/')) throw malformed('the request target is not in origin-form')
  if (target.startsWith('//')) throw malformed('the request target begins with two slashes')
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '?' : target.slice(mark)
  checkLength(path, 'path', maxPathLength)
  checkLength(query, 'query', maxQueryLength)
  if (/[^\x21-\x7e]|#/.test(target)) throw malformed('the request target holds a raw character that a URL may not')
  if (hasBrokenEscape(query)) throw malformed('the query holds a `%` that begins no escape')
  return { path, query }
}

/** The path for matching and forwarding: upper-case escapes, unreserved characters plain, everything else as it was.
 *  Normalising twice changes nothing. Throws `malformed-request` for whatever servers disagree about: dot segments,
 *  empty segments, encoded slashes, backslashes, control characters, double encoding, escapes that are broken or not
 *  UTF-8, and characters that compatibility folding turns into one of these. Path parameters (`;`) are kept. */
export function normalisePath(rawPath: string): string {
  checkLength(rawPath, 'path', maxPathLength)
  if (!rawPath.startsWith('/')) throw malformed('the path does not begin with a slash')
  // Most paths hold none of the characters that need a second look.
  if (/^(?:\/[A-Za-z0-9_~-]+)+\/?$/.test(rawPath)) return rawPath
  if (!/^[A-Za-z0-9\-._~!$&'()*+,;=:@/%]+$/.test(rawPath)) {
    throw malformed('the path holds a raw character that a path may not')
  }
  if (hasBrokenEscape(rawPath)) throw malformed('the path holds a `%` that begins no escape')
  const path = rawPath.replace(/%../g, normaliseEscape)
  refuseAmbiguousEscapes(path)
  refuseAmbiguousText(path)
  refuseAmbiguousSegments(path)
  return path
}

function normaliseEscape(escape: string): string {
  const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
  return /[A-Za-z0-9\-._~]/.test(character) ? character : escape.toUpperCase()
}

// Checked on the normalised path: `%25%32%66` has become `%252f` there.
function refuseAmbiguousEscapes(path: string): void {
  if (/%2F|%5C/.test(path)) throw malformed('the path holds an encoded slash or backslash')
  if (/%[01]|%7F/.test(path)) throw malformed('the path holds a control character')
  if (/%25[0-9A-Fa-f]{2}/.test(path)) throw malformed('the path is encoded twice')
}

function refuseAmbiguousText(path: string): void {
  if (!/%[89A-F]/.test(path)) return
  for (const segment of path.split('/')) {
    const text = decodeText(segment)
    if (/[\u0080-\u009f\u2028\u2029\ufeff]/.test(text)) throw malformed('the path holds a control character')
    // A server that folds U+FF0F to a slash, or U+2024 to a dot, would see another path.
    const folded = text.replace(/[\x20-\x7e]+/g, '').normalize('NFKC')
    if (/[/\\%?#;]/.test(folded)) throw malformed(lookAlike)
    if (/^\.{1,2}$/.test(text.normalize('NFKC').trim())) throw malformed(lookAlike)
  }
}

function decodeText(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (cause) {
    throw malformed('the escapes of the path are not UTF-8', cause)
  }
}

function refuseAmbiguousSegments(path: string): void {
  if (path.includes('//')) throw malformed('the path holds an empty segment')
  // Some servers drop path parameters, or trailing spaces, before they resolve dots: `..;x`, `..%20`.
  if (/\/\.{1,2}(?:%20)*(?:;|%3B|\/|$)/.test(path)) throw malformed('the path holds a dot segment')
  if (/\/(?:;|%3B)/.test(path)) throw malformed('the path holds a segment of parameters only')
}

function hasBrokenEscape(text: string): boolean {
  return /%(?![0-9A-Fa-f]{2})/.test(text)
}

function checkLength(text: string, part: string, limit: number): void {
  if (text.length > limit) throw new Problem('target-too-long', `the ${part} is longer than ${limit} characters`)
}

function malformed(detail: string, cause?: unknown): Problem {
  return new Problem('malformed-request', detail, { cause })
}
