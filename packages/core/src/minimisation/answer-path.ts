/** Paths into an answer: names joined by dots, `[]` for each element of a list. Paths from the answer itself may begin
 *  with `[]` or be empty; field paths (`consent/field-path.ts`), which begin at a row, may not. */
import { ExactNumber } from '../bytes/exact-json.ts'

/** A step of a path that goes to each element of a list; every other step is the name of a member. */
export const eachElement = '[]'

const namedSegment = /^[^.[\]]{1,128}(?:\[\])*$/
const elementSegment = /^(?:\[\])+$/

/** True for the empty path, which is the whole answer, and for 1 to 16 segments: `items[]`, `[]`, `data.groups[].rows[]`. */
export function isAnswerPath(text: string): boolean {
  if (text === '') return true
  const [first = '', ...rest] = text.split('.')
  if (rest.length >= 16) return false
  return (namedSegment.test(first) || elementSegment.test(first)) && rest.every((segment) => namedSegment.test(segment))
}

/** Paths come from configurations and consents: the same few again and again. */
const knownSteps = new Map<string, readonly string[]>()
const maxKnownSteps = 4_096

/** The steps of a field path or an answer path: `items[].event` is `items`, `[]`, `event`. */
export function stepsOf(path: string): readonly string[] {
  let steps = knownSteps.get(path)
  if (steps !== undefined) return steps
  steps = readSteps(path)
  if (knownSteps.size >= maxKnownSteps) knownSteps.clear()
  knownSteps.set(path, steps)
  return steps
}

function readSteps(path: string): string[] {
  if (path === '') return []
  return path.split('.').flatMap((segment) => {
    const open = segment.indexOf('[')
    const name = open < 0 ? segment : segment.slice(0, open)
    const elements = new Array<string>((segment.length - name.length) / 2).fill(eachElement)
    return name === '' ? elements : [name, ...elements]
  })
}

/** The values at the end of the steps, in order; undefined when one of them is missing, null, or not where a list or
 *  an object stands. No more than `maxDepth` steps lead anywhere. */
export function valuesAt(root: unknown, steps: readonly string[]): readonly unknown[] | undefined {
  let values: readonly unknown[] = [root]
  for (const step of steps) {
    const next = step === eachElement ? elementsOf(values) : membersOf(values, step)
    if (next === undefined) return undefined
    values = next
  }
  return values.every((value) => value !== null && value !== undefined) ? values : undefined
}

function elementsOf(values: readonly unknown[]): readonly unknown[] | undefined {
  return values.every((value) => Array.isArray(value)) ? values.flat() : undefined
}

function membersOf(values: readonly unknown[], name: string): readonly unknown[] | undefined {
  const found: unknown[] = []
  for (const value of values) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined
    found.push(value[name])
  }
  return found
}

/** True for a JSON object, not for null, lists and numbers that were kept as they were written. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
}
