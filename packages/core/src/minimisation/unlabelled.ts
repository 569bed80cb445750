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
}

/** Prepares the search. `withheld` are paths, of rows or of the whole answer, that nobody needs to be told of. */
export function knownFields(
  layout: RowLayout,
  labels: readonly { readonly path: string }[],
  withheld: readonly string[],
): KnownFields {
  const inRows = projectionOfPaths([...labels.map(({ path }) => path), ...withheld])
  return { layout, inRows, around: projectionOfPaths([...layout.open, ...withheld]) }
}

/** Values looked at in one answer, and fields told of it: an answer may be large, and its fields as many as its values. */
const maxVisited = 20_000
const maxFound = 50

interface Search {
  readonly found: Set<string>
  visited: number
}

/** The unlabelled fields: of rows as field paths, of what is around them as answer paths. Looks at the beginning of a
 *  very large answer alone. */
export function unlabelledFields(answer: unknown, { layout, inRows, around }: KnownFields): string[] {
  const search: Search = { found: new Set(), visited: 0 }
  const steps = stepsOf(layout.rows)
  if (steps.length === 0) visit(answer, { known: [inRows, around], path: '' }, search)
  else descend(answer, { steps, inRows, around, path: '' }, search)
  return [...search.found]
}

/** The same of one row. */
export function unlabelledFieldsOfRow(row: unknown, { inRows }: KnownFields): string[] {
  const search: Search = { found: new Set(), visited: 0 }
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
    const inner = { path: joined(path, name), known: known === undefined ? [] : [known] }
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
      visit(value[name], { known: members, path: joined(path, name) }, search)
    }
  }
}

const legibleName = /^[A-Za-z_$@][\w$-]{0,63}$/

/** A name that may be somebody's data is not told. */
function joined(path: string, name: string): string {
  const told = legibleName.test(name) ? name : '…'
  return path === '' ? told : `${path}.${told}`
}
