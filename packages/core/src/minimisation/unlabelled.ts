/** Fields of an answer that no label covers. They never leave; that they are there is for the operator to know. */
import { eachElement, isObject, stepsOf } from './answer-path.ts'
import type { RowLayout } from './minimise.ts'
import { projectionOfPaths, type Projection } from './projection.ts'

/** What is known of an operation's answers. */
export interface KnownFields {
  readonly layout: RowLayout
  /** Field paths of rows: labelled, or known to be withheld. */
  readonly inRows: Projection
  /** Answer paths around the rows: open, or known to be withheld. */
  readonly around: Projection
  readonly isTold: (name: string) => boolean
}

/** What is known beside the labels. */
export interface Untold {
  /** Paths, of rows or of the whole answer, that nobody needs to be told of. */
  readonly withheld: readonly string[]
  /** Which names of members may be told: any other may be somebody's data. */
  readonly isTold: (name: string) => boolean
}

/** Prepares the search. */
export function knownFields(
  layout: RowLayout,
  labels: readonly { readonly path: string }[],
  { withheld, isTold }: Untold,
): KnownFields {
  const inRows = projectionOfPaths([...labels.map(({ path }) => path), ...withheld])
  return { layout, inRows, around: projectionOfPaths([...layout.open, ...withheld]), isTold }
}

/** Values looked at in one answer, and fields told of it: an answer may be large, and its fields as many as its values. */
const maxVisited = 20_000
const maxFound = 50

interface Search {
  readonly isTold: (name: string) => boolean
  readonly found: Set<string>
  visited: number
}

/** The unlabelled fields: of rows as field paths, of what is around them as answer paths. Looks at the beginning of a
 *  very large answer alone. */
export function unlabelledFields(answer: unknown, { layout, inRows, around, isTold }: KnownFields): string[] {
  const search: Search = { isTold, found: new Set(), visited: 0 }
  const steps = stepsOf(layout.rows)
  if (steps.length === 0) visit(answer, { known: [inRows, around], path: '' }, search)
  else descend(answer, { steps, inRows, around, path: '' }, search)
  return [...search.found]
}

/** The same of one row. */
export function unlabelledFieldsOfRow(row: unknown, { inRows, isTold }: KnownFields): string[] {
  const search: Search = { isTold, found: new Set(), visited: 0 }
  visit(row, { known: [inRows], path: '' }, search)
  return [...search.found]
}

interface Place {
  /** Steps that are left to the rows. */
  readonly steps: readonly string[]
  readonly inRows: Projection
  readonly around: Projection | undefined
  readonly path: string
}

function descend(value: unknown, place: Place, search: Search): void {
  const { inRows, around, path } = place
  const [step, ...steps] = place.steps
  if (step === undefined) return visit(value, { known: [inRows], path: '' }, search)
  if (step === eachElement) {
    const inner = { steps, inRows, around: around?.elements, path: `${path}[]` }
    for (const element of Array.isArray(value) ? value : []) descend(element, inner, search)
    return
  }
  if (!isObject(value)) return
  for (const name of Object.keys(value)) {
    const known = around?.members.get(name)
    const inner = { path: joined(path, name, search), known: known === undefined ? [] : [known] }
    if (name === step) descend(value[name], { steps, inRows, around: known, path: inner.path }, search)
    else visit(value[name], inner, search)
  }
}

/** `known` is what is known of the value, or of what is inside it; nothing when the value itself is not known. */
function visit(
  value: unknown,
  { known, path }: { readonly known: readonly Projection[]; readonly path: string },
  search: Search,
) {
  if (++search.visited > maxVisited || search.found.size >= maxFound || known.some(({ whole }) => whole)) return
  if (known.length === 0) return void search.found.add(path)
  if (Array.isArray(value)) {
    const elements = known.flatMap((each) => each.elements ?? [])
    for (const element of value) visit(element, { known: elements, path: `${path}[]` }, search)
  } else if (isObject(value)) {
    for (const name of Object.keys(value)) {
      const members = known.flatMap((each) => each.members.get(name) ?? [])
      visit(value[name], { known: members, path: joined(path, name, search) }, search)
    }
  }
}

/** A name that may be somebody's data is not told. */
function joined(path: string, name: string, { isTold }: Search): string {
  const told = isTold(name) ? name : '…'
  return path === '' ? told : `${path}.${told}`
}
