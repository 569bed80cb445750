/** Transforms that cannot be what somebody meant: some that end each other, and some that never fit the type of what
 *  they are applied to. Such a value always stays where it is. */
import type { FieldTransform } from '@comity/core/consent/consent-scope'

type Operation = FieldTransform['op']

/** Types of JSON values that a transform can be applied to; undefined for any scalar. */
const taken: Partial<Record<Operation, readonly string[]>> = {
  mask: ['string', 'integer', 'number'],
  round: ['integer', 'number'],
  year: ['string', 'integer', 'number'],
}
const scalars = ['string', 'integer', 'number', 'boolean']
const givesText: readonly Operation[] = ['mask', 'hash', 'pseudonym']
const numbersAlone = ['sum', 'avg', 'min', 'max']

/** What is wrong with the transforms of one permit among themselves, a sentence for each field. */
export function contradictions(transforms: readonly FieldTransform[]): readonly string[] {
  return [...Map.groupBy(transforms, ({ path }) => path)].flatMap(([path, ofPath]) => {
    const wrong = contradictionIn(ofPath)
    return wrong === undefined ? [] : [`\`${path}\`: ${wrong}`]
  })
}

function contradictionIn(transforms: readonly FieldTransform[]): string | undefined {
  const ops = transforms.map(({ op }) => op)
  if (ops.includes('drop') && ops.length > 1) return 'it is dropped, so nothing else is done to it'
  const aggregates = new Set(transforms.flatMap(({ op, fn }) => (op === 'aggregate' ? [fn] : [])))
  if (aggregates.size > 1) return `it cannot be two aggregates (${[...aggregates].join(', ')}) at once: it never leaves`
  const text = ops.findIndex((op) => givesText.includes(op))
  const after = text < 0 ? undefined : ops.slice(text + 1).find((op) => op === 'round' || op === 'year')
  if (after !== undefined)
    return `\`${after}\` comes after \`${ops[text]}\`, which gives a text that it cannot be applied to`
  const year = ops.indexOf('year')
  if (year >= 0 && ops.includes('round'))
    return '`year` and `round` fit no value together but a year that is a number: of a date nothing leaves'
  return undefined
}

/** Why the transform can never be applied to values of these types; undefined when it may, or when no type is stated. */
export function misfit({ path, op, fn }: FieldTransform, types: ReadonlySet<unknown>): string | undefined {
  const stated = [...types].filter((type) => type !== 'null')
  const named = op === 'aggregate' ? `aggregate ${fn}` : op
  const fits = op === 'aggregate' ? (numbersAlone.includes(fn ?? '') ? taken.round : undefined) : taken[op]
  if (op === 'drop' || (op === 'aggregate' && fits === undefined) || stated.length === 0) return undefined
  if (stated.some((type) => (fits ?? scalars).includes(String(type)))) return undefined
  return `\`${named}\` can never be applied to \`${path}\`, which is ${stated.join(' or ')}: it would never leave`
}
