/** The query of a request, read in the one way in which it is also written to the upstream: `&` between pairs, the
 *  first `=` inside a pair, `+` and `%20` for a space. What another reader could take apart differently (`;`, a second
 *  `=`, `+`) is escaped when it is written again. */

/** A pair as sent: the name decoded, the value not yet, for its style says where it is split first. */
export interface QueryPair {
  readonly name: string
  readonly rawValue: string
}

/** More pairs than this are refused. */
export const maxQueryPairs = 256

/** The text behind its escapes; undefined when they are broken, not UTF-8, or hide a control character. */
export function decodeQueryText(raw: string): string | undefined {
  try {
    return withoutControls(decodeURIComponent(raw.includes('+') ? raw.replaceAll('+', ' ') : raw))
  } catch {
    return undefined
  }
}

/** The text behind the escapes of a path segment, where `+` is itself; undefined as above. */
export function decodePathText(raw: string): string | undefined {
  try {
    return withoutControls(decodeURIComponent(raw))
  } catch {
    return undefined
  }
}

function withoutControls(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex
  return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text) ? undefined : text
}

/** The pairs of a query (`?…`, or empty), in order; undefined when a name cannot be decoded, a pair is empty, or
 *  there are too many. */
export function parseQuery(query: string): QueryPair[] | undefined {
  const text = query.startsWith('?') ? query.slice(1) : query
  if (text === '') return []
  const parts = text.split('&', maxQueryPairs + 1)
  if (parts.length > maxQueryPairs) return undefined
  const pairs: QueryPair[] = []
  for (const part of parts) {
    const equals = part.indexOf('=')
    const name = decodeQueryText(equals < 0 ? part : part.slice(0, equals))
    if (name === undefined || name === '') return undefined
    pairs.push({ name, rawValue: equals < 0 ? '' : part.slice(equals + 1) })
  }
  return pairs
}
