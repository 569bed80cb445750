/** From sample answers to a section of labels that a person can confirm. Pure; no value of an answer is in what it
 *  gives. */
import { isFieldPath, coveredByAny } from '@comity/core/consent/field-path'
import { eachElement, stepsOf, valuesAt } from '@comity/core/minimisation/answer-path'
import type { Sensitivity } from '@comity/core/policy/sensitivity'
import { detect, type Finding } from './detectors.ts'

/** What is there of one operation. */
export interface OperationSamples {
  /** Undefined for answers of which nobody said to which they belong. */
  readonly operation: string | undefined
  /** Whole answers. */
  readonly values: readonly unknown[]
  /** Rows of answers that are nothing but rows. */
  readonly rows: readonly unknown[]
}

/** What is there of one product. */
export interface SamplesToLabel {
  readonly samples: readonly OperationSamples[]
  /** Where the rows are (`items[]`), where the product says so: of the operations that say nothing themselves, and of
   *  those that do. Guessed else. */
  readonly layout: {
    readonly rows: string | undefined
    readonly operations: Readonly<Record<string, string | undefined>>
  }
  /** Fields that have a label, with their levels. */
  readonly labelled: readonly { readonly path: string; readonly sensitivity: Sensitivity }[]
}

export interface LabelProposal {
  readonly rows: string
  /** The same of operations where they are elsewhere, and nothing says so yet. */
  readonly operations: Readonly<Record<string, string>>
  /** Fields without a label that seem to hold something. */
  readonly findings: readonly Finding[]
  /** Fields with a label of a lower level than what they seem to hold. */
  readonly tooLow: readonly (Finding & { readonly labelled: Sensitivity })[]
  /** Fields without a label of which nothing was seen. */
  readonly unknown: readonly string[]
}

/** Values looked at in all answers, and texts kept of one field. */
const maxVisited = 200_000
const maxTexts = 1_000

export function proposeLabels({ samples, layout, labelled }: SamplesToLabel): LabelProposal {
  const where = layout.rows ?? guessRows(samples.flatMap(({ values }) => values))
  const placed = samples.map((one) => ({ ...one, place: placeIn(one, layout) }))
  const fields = fieldsOf(
    placed.flatMap(({ rows, values, place }) => [
      ...rows,
      ...values.flatMap((value) => valuesAt(value, stepsOf(place)) ?? []),
    ]),
  )
  const findings: Finding[] = []
  const tooLow: (Finding & { readonly labelled: Sensitivity })[] = []
  const unknown: string[] = []
  for (const [path, texts] of fields) {
    const finding = detect({ path, texts: [...texts] })
    const label = labelled.find((one) => coveredByAny([one.path], path))
    if (finding === undefined) {
      if (label === undefined) unknown.push(path)
    } else if (label === undefined) findings.push(finding)
    else if (isLower(label.sensitivity, finding.sensitivity)) {
      tooLow.push({ ...finding, labelled: label.sensitivity })
    }
  }
  const operations = placed.flatMap(({ operation = '', values, place }) =>
    operation === '' || values.length === 0 || place === (layout.operations[operation] ?? where)
      ? []
      : [[operation, place] as const],
  )
  return { rows: where, operations: Object.fromEntries(operations), findings, tooLow, unknown }
}

/** As it is declared, where an answer has it so. */
function placeIn({ operation = '', values }: OperationSamples, { rows, operations }: SamplesToLabel['layout']): string {
  const own = operations[operation]
  if (own !== undefined) return own
  const fits = rows !== undefined && values.some((value) => valuesAt(value, stepsOf(rows)) !== undefined)
  return fits ? rows : guessRows(values)
}

const levels: readonly Sensitivity[] = ['public', 'internal', 'confidential', 'restricted']

function isLower(level: Sensitivity, other: Sensitivity): boolean {
  return levels.indexOf(level) < levels.indexOf(other)
}

/** `[]` of a list, `items[]` of an object whose only list of objects that is, alone or within one other, else the
 *  whole. */
function guessRows([first]: readonly unknown[]): string {
  if (Array.isArray(first)) return eachElement
  if (!isObject(first) || Object.values(first).some((value) => typeof value === 'string')) return ''
  const members = Object.entries(first)
  const lists = members.filter(([, value]) => Array.isArray(value) && value.length > 0 && value.every(isObject))
  const [list] = lists
  if (list !== undefined) return lists.length === 1 ? `${list[0]}[]` : ''
  const [holder, ...others] = members.filter(([, value]) => isObject(value))
  const inside = holder === undefined || others.length > 0 ? '' : guessRows([holder[1]])
  return inside === '' ? '' : `${holder?.[0] ?? ''}.${inside}`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fieldsOf(rows: readonly unknown[]): Map<string, string[]> {
  const fields = new Map<string, string[]>()
  const waiting: (readonly [unknown, string])[] = rows.map((row) => [row, ''])
  for (let visited = 0; visited < maxVisited; visited++) {
    const [value, path] = waiting.pop() ?? [undefined, undefined]
    if (path === undefined) break
    if (Array.isArray(value)) for (const one of value) waiting.push([one, `${path}[]`])
    else if (isObject(value)) {
      for (const [name, one] of Object.entries(value)) waiting.push([one, path === '' ? name : `${path}.${name}`])
    } else if (isFieldPath(path)) {
      const texts = fields.get(path) ?? []
      fields.set(path, texts)
      if (isScalar(value) && texts.length < maxTexts) texts.push(String(value))
    }
  }
  return new Map([...fields].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function isScalar(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

/** The section as it would stand in a product: domains with their fields, and their levels. */
export function sectionOf({
  rows,
  operations,
  findings,
}: Pick<LabelProposal, 'rows' | 'operations' | 'findings'>): object {
  const byDomain = Map.groupBy(findings, ({ domain }) => domain)
  const domains = Object.fromEntries([...byDomain].map(([domain, found]) => [domain, found.map(({ path }) => path)]))
  const sensitivity = Object.fromEntries(
    [...byDomain].map(([domain, found]) => [domain, found[0]?.sensitivity ?? 'confidential']),
  )
  const placed = Object.entries(operations).map(([id, path]) => [id, { rows: path }])
  return {
    ...(rows !== '' && { rows }),
    domains,
    sensitivity: { domains: sensitivity },
    ...(placed.length > 0 && { operations: Object.fromEntries(placed) }),
  }
}
