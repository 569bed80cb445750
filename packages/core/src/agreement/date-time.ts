/** Moments as ODRL and the Dataspace Protocol write them: `xsd:dateTime` with a time zone. */

const pattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(?::(\d\d)(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/

/** Milliseconds since the epoch, or undefined when the text is not a moment that the node can tell exactly: no time
 *  zone, a day that does not exist, finer than a millisecond. Seconds may be left out, as in the protocol's own
 *  examples (`2023-12-31T06:00Z`). */
export function parseDateTime(text: string): number | undefined {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [, minutes = '', seconds = '00', fraction = '', zone = ''] = match
  const moment = Date.parse(`${minutes}:${seconds}${fraction}${zone}`)
  return Number.isNaN(moment) || !dayExists(minutes) ? undefined : moment
}

/** The moment in UTC, to the millisecond where it has any: `2026-12-31T06:00:00Z`. */
export function formatDateTime(moment: number): string {
  return new Date(moment).toISOString().replace('.000Z', 'Z')
}

// `Date.parse` reads 31 February as 3 March.
function dayExists(minutes: string): boolean {
  const day = minutes.slice(0, 10)
  const midnight = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day)
}
