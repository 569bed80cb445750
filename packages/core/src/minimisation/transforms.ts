/** What happens to single values before they are released. A value that a transform cannot be applied to is left out
 *  (undefined): a text that cannot be rounded is not thereby free. */
import { ExactNumber } from '../bytes/exact-json.ts'
import type { FieldTransform } from '../consent/consent-scope.ts'
import { decimalOf, numberOf, roundDecimal } from './decimal.ts'

/** What transforms need from outside. */
export interface TransformMeans {
  /** A keyed hash of a text, other towards every participant. */
  readonly keyedHash: (text: string) => string
  /** The subject's pairwise identifier; undefined where an answer is about no one person, and a pseudonym is the keyed
   *  hash of the value itself. */
  readonly pseudonym: string | undefined
}

type Scalar = string | number | boolean | ExactNumber

/** The value after all transforms, in order; undefined when it is left out. `aggregate`, which is about many rows, leaves
 *  a single value out. */
export function transformValue(
  value: unknown,
  transforms: readonly Pick<FieldTransform, 'op' | 'arg'>[],
  means: TransformMeans,
): Scalar | undefined {
  let result = isScalar(value) ? value : undefined
  for (const transform of transforms) {
    if (result === undefined) return undefined
    result = applied(result, transform, means)
  }
  return result
}

function isScalar(value: unknown): value is Scalar {
  return (
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value instanceof ExactNumber
  )
}

function applied(
  value: Scalar,
  { op, arg }: Pick<FieldTransform, 'op' | 'arg'>,
  { keyedHash, pseudonym }: TransformMeans,
): Scalar | undefined {
  switch (op) {
    case 'mask':
      return masked(value, arg ?? 4)
    case 'hash':
      return keyedHash(textOf(value))
    case 'round':
      return rounded(value, arg ?? 1)
    case 'year':
      return yearOf(value)
    case 'pseudonym':
      return pseudonym ?? keyedHash(textOf(value))
    default:
      return undefined
  }
}

/** The same number gives the same text, however it was written. */
function textOf(value: Scalar): string {
  if (!(value instanceof ExactNumber)) return String(value)
  const decimal = decimalOf(value)
  const number = decimal === undefined ? value : numberOf(decimal)
  return number instanceof ExactNumber ? number.source : String(number)
}

/** All but the last `keep` characters as `*`; all of them where nothing would be masked otherwise. */
function masked(value: Scalar, keep: number): string | undefined {
  if (typeof value === 'boolean' || !Number.isInteger(keep) || keep < 0) return undefined
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return undefined
  if (value instanceof ExactNumber && !/^-?\d+$/.test(value.source)) return undefined
  const characters = [...(value instanceof ExactNumber ? value.source : String(value))]
  const shown = characters.length > keep && keep > 0 ? characters.slice(-keep) : []
  return '*'.repeat(characters.length - shown.length) + shown.join('')
}

function rounded(value: Scalar, step: number): number | ExactNumber | undefined {
  if (!(step > 0)) return undefined
  if (value instanceof ExactNumber) return roundedExactly(value, step)
  if (typeof value !== 'number') return undefined
  const multiple = Math.round(value / step) * step
  if (!Number.isFinite(multiple)) return undefined
  // Multiples of a fraction come out as 0.30000000000000004. Adding 0 turns -0 into 0.
  return (Number.isInteger(step) ? multiple : Number(multiple.toPrecision(15))) + 0
}

function roundedExactly(value: ExactNumber, step: number): number | ExactNumber | undefined {
  const [decimal, wide] = [decimalOf(value), decimalOf(step)]
  return decimal === undefined || wide === undefined ? undefined : numberOf(roundDecimal(decimal, wide))
}

/** The year as it was: text of a text, number of a number. */
function yearOf(value: Scalar): string | number | undefined {
  if (value instanceof ExactNumber) return yearOf(Number(value.source))
  if (typeof value === 'number') return Number.isInteger(value) && value > 0 && value <= 9_999 ? value : undefined
  if (typeof value !== 'string') return undefined
  return /^(\d{4})(?:-\d\d(?:-\d\d(?:[Tt ]\d\d:\d\d[\d:.]{0,16}(?:[Zz]|[+-]\d\d:\d\d)?)?)?)?$/.exec(value)?.[1]
}
