/** Whether a row gives anything of a part of a release: its filters and its period. What cannot be judged (a value that
 *  is missing, null, or of another type) does not pass. */
import { ExactNumber } from '../bytes/exact-json.ts'
import type { RowFilter } from '../consent/consent-scope.ts'
import type { ReleasePart, ReleasePeriod } from '../consent/release.ts'
import { stepsOf, valuesAt } from './answer-path.ts'
import { compareDecimals, decimalOf } from './decimal.ts'
import { liesIn, momentRange } from './data-moment.ts'

type Scalar = string | number | boolean

/** The conditions of one part, read once for all rows. */
export interface RowConditions {
  readonly filters: readonly (Pick<RowFilter, 'op' | 'value'> & { readonly steps: readonly string[] })[]
  readonly period: ReleasePeriod | undefined
}

/** The conditions of a part. */
export function conditionsOf({ filters, period }: Pick<ReleasePart, 'filters' | 'period'>): RowConditions {
  return { filters: filters.map(({ path, op, value }) => ({ steps: stepsOf(path), op, value })), period }
}

/** True when all conditions hold for the row. `date` are the steps to its own date. A path that leads to several values
 *  needs each condition to hold for all of them, and one at least. */
export function satisfies(
  row: unknown,
  { filters, period }: RowConditions,
  date: readonly string[] | undefined,
): boolean {
  if (period !== undefined && !liesInPeriod(row, date, period)) return false
  return filters.every(({ steps, op, value }) => everyValue(row, steps, (found) => holds(found, op, value)))
}

function everyValue(row: unknown, steps: readonly string[], test: (value: unknown) => boolean): boolean {
  const values = valuesAt(row, steps)
  return values !== undefined && values.length > 0 && values.every(test)
}

function holds(found: unknown, op: RowFilter['op'], wanted: RowFilter['value']): boolean {
  if (found instanceof ExactNumber) return holdsExactly(found, op, wanted)
  if (!isScalar(found)) return false
  if (op === 'in') return Array.isArray(wanted) && wanted.includes(found)
  if (!isScalar(wanted) || typeof found !== typeof wanted) return false
  if (op === '=') return found === wanted
  if (op === '!=') return found !== wanted
  const order = orderOf(found, wanted)
  return order !== undefined && isPlaced(order, op)
}

/** Of a number that a double would change, by its digits. */
function holdsExactly(found: ExactNumber, op: RowFilter['op'], wanted: RowFilter['value']): boolean {
  const decimal = decimalOf(found)
  if (decimal === undefined) return false
  const order = (other: unknown): number | undefined => {
    const second = typeof other === 'number' ? decimalOf(other) : undefined
    return second && compareDecimals(decimal, second)
  }
  if (op === 'in') return Array.isArray(wanted) && wanted.some((each) => order(each) === 0)
  const place = order(wanted)
  return place !== undefined && isPlaced(place, op)
}

/** Whether what stands below (less than 0), at or above another value satisfies the comparison with it. */
function isPlaced(order: number, op: RowFilter['op']): boolean {
  switch (op) {
    case '=':
      return order === 0
    case '!=':
      return order !== 0
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    default:
      return op === '>=' && order >= 0
  }
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/** Below, at or above 0 as the first is less, the same or more; undefined for values without an order. */
function orderOf(a: Scalar, b: Scalar): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return typeof a === 'string' && typeof b === 'string' ? compareByCodePoint(a, b) : undefined
}

function compareByCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const [unitOfA, unitOfB] = [a.charCodeAt(index), b.charCodeAt(index)]
    if (unitOfA !== unitOfB) return rank(unitOfA) - rank(unitOfB)
  }
  return a.length - b.length
}

/** Places surrogates, which stand for code points from U+10000 on, above all other units. */
function rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800
  return unit >= 0xd800 ? unit + 0x2000 : unit
}

function liesInPeriod(row: unknown, date: readonly string[] | undefined, period: ReleasePeriod): boolean {
  if (date === undefined) return false
  return everyValue(row, date, (value) => {
    const range = momentRange(value instanceof ExactNumber ? Number(value.source) : value)
    return range !== undefined && liesIn(range, period)
  })
}
