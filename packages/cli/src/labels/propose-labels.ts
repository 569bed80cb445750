/** From sample answers to a section of labels that a person can confirm. Pure; no value of an answer is in what it
 *  gives. */
import { isFieldPath, coveredByAny } from '@comity/core/consent/field-path'
import { eachElement, stepsOf, valuesAt } from '@comity/core/minimisation/answer-path'
import type { Sensitivity } from '@comity/core/policy/sensitivity'
import { detect, type Finding } from './detectors.ts'

/** What is there of one product. */
export interface SamplesToLabel {
  readonly answers: readonly unknown[]
  /** Where the rows are (`items[]`), where the product says so; guessed for each answer else. */
  readonly rows: string | undefined
  /** Fields that have a label, with their levels. */
  readonly labelled: readonly { readonly path: string; readonly sensitivity: Sensitivity }[]
}

export interface LabelProposal {
  readonly rows: string
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

export function proposeLabels({ answers, rows, labelled }: SamplesToLabel): LabelProposal {
  const where = rows ?? guessRows(answers)
  const fields = fieldsOf(answers.flatMap((answer) => valuesAt(answer, stepsOf(where)) ?? []))
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
  return { rows: where, findings, tooLow, unknown }
}

const levels: readonly Sensitivity[] = ['public', 'internal', 'confidential', 'restricted']

function isLower(level: Sensitivity, other: Sensitivity): boolean {
  return levels.indexOf(level) < levels.indexOf(other)
}

/** `[]` of a list, `items[]` of an object whose only list of objects that is, else the whole. */
function guessRows(answers: readonly unknown[]): string {
  const [first] = answers
  if (Array.isArray(first)) return eachElement
  if (typeof first !== 'object' || first === null) return ''
  const lists = Object.entries(first).filter(
    ([, value]) => Array.isArray(value) && value.length > 0 && value.every((one) => isObject(one)),
  )
  const [only] = lists
  const isWrapper = Object.values(first).every((value) => typeof value !== 'string')
  return lists.length === 1 && only !== undefined && isWrapper ? `${only[0]}[]` : ''
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
export function sectionOf({ rows, findings }: Pick<LabelProposal, 'rows' | 'findings'>): object {
  const byDomain = Map.groupBy(findings, ({ domain }) => domain)
  const domains = Object.fromEntries([...byDomain].map(([domain, found]) => [domain, found.map(({ path }) => path)]))
  const sensitivity = Object.fromEntries(
    [...byDomain].map(([domain, found]) => [domain, found[0]?.sensitivity ?? 'confidential']),
  )
  return { ...(rows !== '' && { rows }), domains, sensitivity: { domains: sensitivity } }
}
