/** Reads `@transforms("birthDate: year; weight: round 5; score: aggregate avg 5")`. */
import { aggregateFunctions, type FieldTransform } from '@comity/core/consent/consent-scope'
import { isFieldPath } from '@comity/core/consent/field-path'

/** The transforms in the order they stand in, or all that is wrong with the text. */
export function readTransforms(text: string): readonly FieldTransform[] | string {
  const read = text.split(';').map((entry) => readTransform(entry.trim()))
  const wrong = read.filter((each) => typeof each === 'string')
  return wrong.length === 0 ? read.filter((each) => typeof each !== 'string') : wrong.join('; ')
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
  if (!isOperation(op)) return `\`${op}\` is none of the transforms ${Object.keys(readers).join(', ')}`
  const parameters = readers[op](rest)
  return parameters === undefined
    ? `\`${entry}\`: ${usage[op] ?? `\`${op}\` stands alone`}`
    : { path, op, ...parameters }
}

type Parameters = Pick<FieldTransform, 'arg' | 'fn'>

function isOperation(op: string): op is FieldTransform['op'] {
  return Object.hasOwn(readers, op)
}

/** What each transform makes of the words after it; undefined when they are wrong. */
const readers: Readonly<Record<FieldTransform['op'], (words: readonly string[]) => Parameters | undefined>> = {
  mask: (words) => numberAlone(words, (value) => Number.isInteger(value)),
  hash: none,
  round: (words) => numberAlone(words, () => true),
  year: none,
  pseudonym: none,
  drop: none,
  aggregate: ([fn, ...rest]) => {
    const aggregate = aggregateFunctions.find((each) => each === fn)
    const size = numberAlone(rest, (value) => Number.isInteger(value) && value >= 2)
    return aggregate === undefined || size === undefined ? undefined : { fn: aggregate, ...size }
  },
}

const usage: Readonly<Record<string, string>> = {
  mask: '`mask` takes how many characters stay, such as `mask 4`',
  round: '`round` takes a step, such as `round 5`',
  aggregate: `\`aggregate\` takes one of ${aggregateFunctions.join(', ')} and the smallest group, at least 2, such as \`aggregate avg 5\``,
}

function none(words: readonly string[]): Parameters | undefined {
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
