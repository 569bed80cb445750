/** Minimisation: of an answer with labelled fields, what was released and nothing else. Pure; the result is new. */
import type { Release, ReleasePart } from '../consent/release.ts'
import { eachElement, isObject, stepsOf } from './answer-path.ts'
import { maxAnswerDepth, project, projectionOf, projectionOfPaths, setMember, type Projection } from './projection.ts'
import { isGrouped, RowGroups } from './row-groups.ts'
import { conditionsOf, satisfies, type RowConditions } from './row-conditions.ts'
import type { TransformMeans } from './transforms.ts'

/** Where the rows of an answer are. */
export interface RowLayout {
  /** Answer path (`answer-path.ts`) of the rows: `items[]`, `[]`, or empty when the whole answer is one row. */
  readonly rows: string
  /** Field path of a row's own date, by which a period is judged. Without it no row lies in any period. */
  readonly date?: string | undefined
  /** Answer paths of members that are about nobody and go on as they are: the total of a list. A path that leads to
   *  the rows, or into them unless the whole answer is the row, gives nothing. */
  readonly open: readonly string[]
}

type ConditionedPart = ReleasePart & { readonly conditions: RowConditions }

interface Work {
  readonly means: TransformMeans
  /** Parts whose rows leave one by one, and those whose rows leave in groups. */
  readonly parts: readonly ConditionedPart[]
  readonly grouped: readonly (ConditionedPart & { readonly groups: RowGroups })[]
  readonly date: readonly string[] | undefined
  /** By the positions of the parts that a row passes. */
  readonly projections: Map<string, Projection>
}

/** What is released of a parsed JSON answer. Rows that pass the conditions of no part are left out; so are members
 *  that hold nothing released, and whatever is not of the kind that the layout says. The answer's outermost object or
 *  list stays, if empty. Groups of rows come behind the rows of their list; rows outside a list are in no group. Throws
 *  `TooManyGroups`. */
export function minimise(
  value: unknown,
  release: Release,
  context: { layout: RowLayout; means: TransformMeans },
): unknown {
  const { layout } = context
  const work = workOf(release, context)
  const steps = stepsOf(layout.rows)
  const open = projectionOfPaths(layout.open)
  const result = steps.length === 0 ? wholeAnswer(value, open, work) : envelope(value, { steps, open, depth: 0 }, work)
  return result ?? (steps[0] === eachElement ? [] : {})
}

/** What is released of rows that come one after the other. */
export interface RowMinimiser {
  /** What is released of a row: undefined for one that passes the conditions of no part, leaves in a group only, or is
   *  no object. Throws `TooManyGroups`. */
  release(row: unknown): unknown
  /** The groups of the rows so far, which are a list that ends here. */
  flush(): readonly unknown[]
}

/** The same for rows that come one after the other. */
export function rowMinimiser(release: Release, context: { layout: RowLayout; means: TransformMeans }): RowMinimiser {
  const work = workOf(release, context)
  const depth = stepsOf(context.layout.rows).length
  return {
    release: (row) => (isObject(row) ? projectRow(row, depth, work) : undefined),
    flush: () => flushed(work),
  }
}

function workOf(release: Release, { layout, means }: { layout: RowLayout; means: TransformMeans }): Work {
  // A part that releases no field lets no row through.
  const parts = release.parts
    .filter(({ fields }) => fields.length > 0)
    .map((part) => ({ ...part, conditions: conditionsOf(part) }))
  return {
    means,
    parts: parts.filter((part) => !isGrouped(part)),
    grouped: parts.filter(isGrouped).map((part) => ({ ...part, groups: new RowGroups(part, means) })),
    date: layout.date === undefined ? undefined : stepsOf(layout.date),
    projections: new Map(),
  }
}

function flushed({ grouped }: Work): unknown[] {
  return grouped.flatMap(({ groups }) => groups.flush())
}

function wholeAnswer(value: unknown, open: Projection, work: Work): unknown {
  if (!isObject(value)) return undefined
  return merged(projectRow(value, 0, work), project(value, open, { means: work.means, depth: 0, isWhole: false }))
}

/** Members of both; of a member that both have, what the row gives. */
function merged(row: unknown, open: unknown): unknown {
  if (!isObject(row) || !isObject(open)) return row ?? open
  const result: Record<string, unknown> = {}
  for (const name of Object.keys(open)) {
    setMember(result, name, Object.hasOwn(row, name) ? merged(row[name], open[name]) : open[name])
  }
  for (const name of Object.keys(row)) if (!Object.hasOwn(open, name)) setMember(result, name, row[name])
  return result
}

interface EnvelopePlace {
  /** Steps that are left to the rows. */
  readonly steps: readonly string[]
  readonly open: Projection | undefined
  readonly depth: number
}

/** The part of the answer around its rows. */
function envelope(value: unknown, place: EnvelopePlace, work: Work): unknown {
  const [step, ...steps] = place.steps
  if (place.depth >= maxAnswerDepth) return undefined
  if (step === undefined) return isObject(value) ? projectRow(value, place.depth, work) : undefined
  if (step === eachElement) {
    if (!Array.isArray(value)) return undefined
    const inner = { steps, open: place.open?.elements, depth: place.depth + 1 }
    const elements = value.map((element) => envelope(element, inner, work)).filter((element) => element !== undefined)
    return steps.length === 0 && work.grouped.length > 0 ? [...elements, ...flushed(work)] : elements
  }
  return isObject(value) ? envelopeObject(value, { ...place, step, steps }, work) : undefined
}

function envelopeObject(
  value: Readonly<Record<string, unknown>>,
  { step, steps, open, depth }: EnvelopePlace & { readonly step: string },
  work: Work,
): unknown {
  const result: Record<string, unknown> = {}
  for (const [name, child] of open?.members ?? []) {
    if (name === step || !Object.hasOwn(value, name)) continue
    const copy = project(value[name], child, { means: work.means, depth: depth + 1, isWhole: false })
    if (copy !== undefined) setMember(result, name, copy)
  }
  if (!Object.hasOwn(value, step)) return result
  const inner = envelope(value[step], { steps, open: open?.members.get(step), depth: depth + 1 }, work)
  if (inner !== undefined) setMember(result, step, inner)
  return result
}

/** What the parts that a row passes release of it alone; undefined when it passes none of these. */
function projectRow(row: Readonly<Record<string, unknown>>, depth: number, work: Work): unknown {
  for (const { conditions, groups } of work.grouped) {
    if (satisfies(row, conditions, work.date)) groups.add(row, depth)
  }
  const passed = work.parts.filter(({ conditions }) => satisfies(row, conditions, work.date))
  if (passed.length === 0) return undefined
  const key = passed.length === work.parts.length ? 'all' : passed.map((part) => work.parts.indexOf(part)).join()
  let projection = work.projections.get(key)
  if (projection === undefined) work.projections.set(key, (projection = projectionOf(passed)))
  return project(row, projection, { means: work.means, depth, isWhole: false }) ?? {}
}
