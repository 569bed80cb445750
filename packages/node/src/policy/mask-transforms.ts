/** Reads `@transforms("birthDate: year; weight: round 5; score: aggregate avg 5")`. */
import type { FieldTransform } from '@comity/core/consent/consent-scope'
import { isFieldPath } from '@comity/core/consent/field-path'

/** The transforms in the order they stand in, or what is wrong with the text. */
export function readTransforms(text: string): readonly FieldTransform[] | string {
  const transforms: FieldTransform[] = []
  for (const entry of text.split(';').map((part) => part.trim())) {
    const transform = readTransform(entry)
    if (typeof transform === 'string') return transform
    transforms.push(transform)
  }
  return transforms
}

function readTransform(entry: string): FieldTransform | string {
  // The last colon: names of fields may hold one, arguments do not.
  const colon = entry.lastIndexOf(':')
  const path = entry.slice(0, Math.max(colon, 0)).trim()
  const [op = '', ...rest] = entry
    .slice(colon + 1)
    .trim()
    .split(/\s+/)
  if (!isFieldPath(path)) return `\`${entry}\` is not \`field: transform\``
  const read = Object.hasOwn(readers, op) ? readers[op as keyof typeof readers] : undefined
  if (read === undefined) return `\`${op}\` is none of the transforms ${Object.keys(readers).join(', ')}`
  const parameters = read(rest)
  return parameters === undefined
    ? `\`${entry}\`: ${usage[op] ?? `\`${op}\` stands alone`}`
    : ({ path, op, ...parameters } as FieldTransform)
}

/** What each transform makes of the words after it; undefined when they are wrong. */
const readers = {
  mask: (words: readonly string[]) => numberAlone(words, (value) => Number.isInteger(value)),
  hash: none,
  round: (words: readonly string[]) => numberAlone(words, () => true),
  year: none,
  pseudonym: none,
  drop: none,
  aggregate: ([fn, ...rest]: readonly string[]) => {
    if (fn === undefined || !aggregates.includes(fn)) return undefined
    const size = numberAlone(rest, (value) => Number.isInteger(value) && value >= 2)
    return size === undefined ? undefined : { fn, ...size }
  },
}

const aggregates = ['count', 'sum', 'avg', 'min', 'max']

const usage: Readonly<Record<string, string>> = {
  mask: '`mask` takes how many characters stay, such as `mask 4`',
  round: '`round` takes a step, such as `round 5`',
  aggregate: `\`aggregate\` takes one of ${aggregates.join(', ')} and the smallest group, at least 2, such as \`aggregate avg 5\``,
}

function none(words: readonly string[]): object | undefined {
  return words.length === 0 ? {} : undefined
}

function numberAlone(
  [word, ...rest]: readonly string[],
  fits: (value: number) => boolean,
): { arg?: number } | undefined {
  if (word === undefined) return {}
  const arg = /^\d{1,15}(?:\.\d{1,9})?$/.test(word) ? Number(word) : Number.NaN
  return rest.length === 0 && arg > 0 && fits(arg) ? { arg } : undefined
}
