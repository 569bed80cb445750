/** What happens to single values before they are released. A value that a transform cannot be applied to is left out
 *  (undefined): a text that cannot be rounded is not thereby free. */
import type { FieldTransform } from '../consent/consent-scope.ts'

/** What transforms need from outside. */
export interface TransformMeans {
  /** A keyed hash of a text, other towards every participant. */
  readonly keyedHash: (text: string) => string
  /** The subject's pairwise identifier; undefined where an answer is about no one person, and a pseudonym is the keyed
   *  hash of the value itself. */
  readonly pseudonym: string | undefined
}

/** The value after all transforms, in order; undefined when it is left out. */
export function transformValue(
  value: unknown,
  transforms: readonly Pick<FieldTransform, 'op' | 'arg'>[],
  means: TransformMeans,
): string | number | boolean | undefined {
  let result = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : undefined
  for (const transform of transforms) {
    if (result === undefined) return undefined
    result = applied(result, transform, means)
  }
  return result
}

function applied(
  value: string | number | boolean,
  { op, arg }: Pick<FieldTransform, 'op' | 'arg'>,
  { keyedHash, pseudonym }: TransformMeans,
): string | number | undefined {
  switch (op) {
    case 'mask':
      return masked(value, arg ?? 4)
    case 'hash':
      return keyedHash(String(value))
    case 'round':
      return typeof value === 'number' ? rounded(value, arg ?? 1) : undefined
    case 'year':
      return yearOf(value)
    case 'pseudonym':
      return pseudonym ?? keyedHash(String(value))
    default:
      return undefined
  }
}

/** All but the last `keep` characters as `*`; all of them where nothing would be masked otherwise. */
function masked(value: string | number | boolean, keep: number): string | undefined {
  if (typeof value === 'boolean' || !Number.isInteger(keep) || keep < 0) return undefined
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return undefined
  const characters = [...String(value)]
  const shown = characters.length > keep && keep > 0 ? characters.slice(-keep) : []
  return '*'.repeat(characters.length - shown.length) + shown.join('')
}

function rounded(value: number, step: number): number | undefined {
  if (!(step > 0)) return undefined
  const multiple = Math.round(value / step) * step
  if (!Number.isFinite(multiple)) return undefined
  // Multiples of a fraction come out as 0.30000000000000004. Adding 0 turns -0 into 0.
  return (Number.isInteger(step) ? multiple : Number(multiple.toPrecision(15))) + 0
}

/** The year as it was: text of a text, number of a number. */
function yearOf(value: string | number | boolean): string | number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value > 0 && value <= 9_999 ? value : undefined
  if (typeof value !== 'string') return undefined
  return /^(\d{4})(?:-\d\d(?:-\d\d(?:[Tt ]\d\d:\d\d[\d:.]{0,16}(?:[Zz]|[+-]\d\d:\d\d)?)?)?)?$/.exec(value)?.[1]
}
