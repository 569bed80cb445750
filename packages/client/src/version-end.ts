/** What an answer says of the end of the product's version: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), and a link to
 *  the successor (RFC 5829). None of it is signed: advice, not evidence. */

import { keyEndOf } from './key-end.ts'

/** The announced end of a version. */
export interface VersionEnd {
  /** Since when, or from when on, it is deprecated. */
  readonly deprecated: Date | undefined
  /** From when on it may be refused. */
  readonly sunset: Date | undefined
  /** Address of the successor at the holder's node, `https://node.example/x/athletes@2.0`: its last segment is what to
   *  pass to `product()`. */
  readonly successor: string | undefined
}

/** Undefined when nothing, or nothing legible, is announced. */
export function versionEndOf(headers: Headers): VersionEnd | undefined {
  const deprecated = dateOf(/^@(-?\d{1,12})(?:;|$)/.exec(headers.get('deprecation')?.trim() ?? '')?.[1])
  const sunset = parsed(headers.get('sunset'))
  if ((deprecated === undefined && sunset === undefined) || isOfKey(headers, { deprecated, sunset })) return undefined
  return { deprecated, sunset, successor: successorIn(headers.get('link') ?? '') }
}

/** The same fields tell of the end of an API key, where the version has none. */
function isOfKey(headers: Headers, { deprecated, sunset }: Pick<VersionEnd, 'deprecated' | 'sunset'>): boolean {
  const end = keyEndOf(headers)
  return end !== undefined && secondsOf(deprecated) === end.deprecated && secondsOf(sunset) === end.sunset
}

const secondsOf = (date: Date | undefined): number | undefined => date && Math.floor(date.getTime() / 1_000)

function dateOf(seconds: string | undefined): Date | undefined {
  return seconds === undefined ? undefined : new Date(Number(seconds) * 1_000)
}

/** An HTTP date has a weekday first. */
function parsed(text: string | null): Date | undefined {
  if (text === null || !/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/.test(text)) return undefined
  const date = new Date(text)
  return Number.isNaN(date.getTime()) ? undefined : date
}

function successorIn(links: string): string | undefined {
  return /<([^<>]{1,2048})>\s*;\s*rel="?successor-version"?\s*(?:[;,]|$)/i.exec(links)?.[1]
}
