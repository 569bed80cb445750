/** What a rule sees of a text, and what is told of it: never the secret itself. */

/** A secret as a rule found it. Stays inside the scan: whoever prints takes a `Finding`. */
export interface Match {
  readonly rule: string
  /** Offsets in the text, end exclusive. */
  readonly start: number
  readonly end: number
  /** How many of its first characters may be shown: a public prefix, or none. */
  readonly shown: number
  /** Public id of a Comity API key. */
  readonly keyId?: string
  /** How it stands in the text, unless as it is; `excerpt` is of what was decoded then. */
  readonly encoding?: 'base64'
  readonly excerpt?: string
}

/** A secret in a text, fit to be printed. */
export interface Finding {
  readonly rule: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** `cmty_live_7Hq2m9Xa_…`: what may be shown of it. */
  readonly excerpt: string
  readonly keyId?: string
  /** How it stands at its place, unless as it is. */
  readonly encoding?: 'base64'
}

/** A text to look at, by the path that people and rules know it by. */
export interface ScannedText {
  readonly path: string
  readonly text: string
}

/** All that may be told of a match but its place. */
export function told(text: string, match: Match): Omit<Finding, 'line' | 'column'> {
  return {
    rule: match.rule,
    excerpt: maskedExcerpt(text, match),
    ...(match.keyId === undefined ? {} : { keyId: match.keyId }),
    ...(match.encoding === undefined ? {} : { encoding: match.encoding }),
  }
}

/** The shown beginning and an ellipsis. What is short is not shown at all: a few letters of it would be much of it. */
export function maskedExcerpt(text: string, { start, end, shown, excerpt }: Match): string {
  if (excerpt !== undefined) return excerpt
  const visible = end - start >= shown * 2 ? shown : 0
  return `${text.slice(start, start + visible).replaceAll(/\s+/g, ' ')}…`
}

/** How much of a secret without a public prefix is shown, so that its owner knows it again. */
export const shownOfOthers = 4
