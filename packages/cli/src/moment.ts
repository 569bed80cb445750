/** Times as people write them on the command line. */
import { InvalidArgumentError } from 'commander'

const written = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/

/** A time, or a date, which is its midnight in UTC, as the node takes it: `2026-03-01T00:00:00.000Z`. */
export function moment(text: string): string {
  const ms = written.test(text) ? Date.parse(text) : NaN
  // A date that no calendar has, the 31st of February, is not the 3rd of March.
  if (Number.isNaN(ms) || !new Date(Date.parse(text.slice(0, 10))).toISOString().startsWith(text.slice(0, 10)))
    throw new InvalidArgumentError('must be a date or a time with its offset: 2026-03-01 or 2026-03-01T09:00:00+01:00')
  return new Date(ms).toISOString()
}
