/** Rows that leave only together: of those that have the same other fields, something about all of them (`aggregate`).
 *  A group that is too small does not leave, nor does a value that too few of its rows have. Which groups there are does
 *  not depend on what is asked for, so no two calls can be subtracted from each other; a call gets fewer columns of the
 *  same groups. */
import { ExactNumber } from '../bytes/exact-json.ts'
import { coveredByAny, coversField } from '../consent/field-path.ts'
import type { AggregateFunction, FieldTransform } from '../consent/consent-scope.ts'
import type { ReleasePart } from '../consent/release.ts'
import { eachElement, isObject, stepsOf, valuesAt } from './answer-path.ts'
import { addDecimals, compareDecimals, decimalOf, decimalText, numberOf, type Decimal } from './decimal.ts'
import { project, projectionOf, projectionOfPaths, setMember, type Projection } from './projection.ts'
import { transformValue, type TransformMeans } from './transforms.ts'

/** Rows in a group where nothing else is said, and at least. */
export const usualGroupSize = 5
export const leastGroupSize = 2

/** More groups than this in one list of rows, or longer names of theirs together, are not kept in memory. */
const maxGroups = 10_000
const maxKeyLength = 16_777_216

/** An answer has more groups than can be kept. */
export class TooManyGroups extends Error {
  readonly rule = 'too-many-groups'

  constructor() {
    super(`its rows fall into over ${maxGroups} groups, or into groups with too much in common`)
    this.name = 'TooManyGroups'
  }
}

/** True when the rows of a part leave in groups only. */
export function isGrouped({ transforms, groupsOf }: Pick<ReleasePart, 'transforms' | 'groupsOf'>): boolean {
  return groupsOf !== undefined || transforms.some(({ op }) => op === 'aggregate')
}

/** One aggregated field. */
interface Aggregate {
  readonly steps: readonly string[]
  /** Undefined when two are asked for that do not go together: then none leaves. */
  readonly fn: AggregateFunction | undefined
  /** What happens to each value before, and to the result. */
  readonly before: readonly FieldTransform[]
  readonly after: readonly FieldTransform[]
}

interface Group {
  readonly key: unknown
  rows: number
  readonly sums: Sum[]
}

/** What is known of the values of one field in one group. */
interface Sum {
  /** Rows that have a value, and their values. */
  rows: number
  values: number
  total: Decimal
  least: Decimal | undefined
  greatest: Decimal | undefined
}

/** The groups of one part in one list of rows. */
export class RowGroups {
  readonly #key: Projection
  /** What leaves of a group's key; undefined for all of it. */
  readonly #asked: Projection | undefined
  readonly #aggregates: readonly Aggregate[]
  readonly #leastRows: number
  readonly #means: TransformMeans
  readonly #groups = new Map<string, Group>()
  #keyLength = 0

  constructor(
    { fields, givable, transforms, groupsOf = 0 }: Pick<ReleasePart, 'fields' | 'givable' | 'transforms' | 'groupsOf'>,
    means: TransformMeans,
  ) {
    const own = transforms.filter(({ op }) => op === 'aggregate')
    const paths = [...new Set(own.map(({ path }) => path))]
    const others = transforms.filter(({ path }) => !paths.includes(path))
    const dropped = paths.map((path) => ({ path, op: 'drop' as const }))
    this.#key = projectionOf([{ fields: givable ?? fields, transforms: [...others, ...dropped] }])
    this.#asked = givable && projectionOfPaths(fields)
    this.#aggregates = paths
      .filter((path) => coveredByAny(fields, path) && coveredByAny(givable ?? fields, path))
      .filter((path) => !transforms.some((other) => other.path !== path && coversField(other.path, path)))
      .map((path) => aggregateOf(path, transforms))
    const least = own.map(({ arg }) => Math.ceil(arg ?? usualGroupSize))
    this.#leastRows = Math.max(leastGroupSize, groupsOf, ...least)
    this.#means = means
  }

  /** Counts a row in. Throws `TooManyGroups`. */
  add(row: Readonly<Record<string, unknown>>, depth: number): void {
    const key = canonical(project(row, this.#key, { means: this.#means, depth, isWhole: false }) ?? {})
    const name = JSON.stringify(key)
    const group = this.#groups.get(name) ?? this.#open(name, key)
    group.rows++
    this.#aggregates.forEach((aggregate, at) => this.#count(row, aggregate, group.sums[at] as Sum))
  }

  /** The groups that are large enough, in an order that tells nothing of the rows', and begins anew. */
  flush(): unknown[] {
    const large = [...this.#groups].filter(([, { rows }]) => rows >= this.#leastRows)
    this.#groups.clear()
    this.#keyLength = 0
    return large.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => this.#released(group))
  }

  #open(name: string, key: unknown): Group {
    this.#keyLength += name.length
    if (this.#groups.size >= maxGroups || this.#keyLength > maxKeyLength) throw new TooManyGroups()
    const sums = this.#aggregates.map(() => ({
      rows: 0,
      values: 0,
      total: { units: 0n, scale: 0 },
      least: undefined,
      greatest: undefined,
    }))
    const group = { key, rows: 0, sums }
    this.#groups.set(name, group)
    return group
  }

  #count(row: unknown, { steps, fn, before }: Aggregate, sum: Sum): void {
    const found = valuesAt(row, steps) ?? []
    if (found.length === 0) return
    const values = found.map((value) => (before.length === 0 ? value : transformValue(value, before, this.#means)))
    if (values.includes(undefined)) return
    if (fn !== 'count' && !addNumbers(values, sum)) return
    sum.rows++
    sum.values += values.length
  }

  #released({ key, sums }: Group): unknown {
    const left =
      this.#asked === undefined ? key : project(key, this.#asked, { means: this.#means, depth: 0, isWhole: false })
    const row: Record<string, unknown> = isObject(left) ? { ...left } : {}
    this.#aggregates.forEach(({ steps, fn, after }, at) => {
      const sum = sums[at] as Sum
      if (sum.rows < this.#leastRows) return
      const value = resultOf(sum, fn)
      const result = after.length === 0 ? value : transformValue(value, after, this.#means)
      if (result !== undefined) place(row, steps, result)
    })
    return row
  }
}

/** With several, the largest of their groups counts; two that calculate something else give nothing. */
function aggregateOf(path: string, transforms: readonly FieldTransform[]): Aggregate {
  const own = transforms.filter((transform) => transform.path === path)
  const first = own.findIndex(({ op }) => op === 'aggregate')
  const functions = new Set(own.flatMap(({ op, fn }) => (op === 'aggregate' ? [fn] : [])))
  return {
    steps: stepsOf(path),
    fn: functions.size === 1 ? own[first]?.fn : undefined,
    before: own.slice(0, first),
    after: own.slice(first).filter(({ op }) => op !== 'aggregate'),
  }
}

/** False, and nothing is added, when a value is not a number that can be calculated with. */
function addNumbers(values: readonly unknown[], sum: Sum): boolean {
  const decimals = values.map((value) =>
    typeof value === 'number' || value instanceof ExactNumber ? decimalOf(value) : undefined,
  )
  if (decimals.includes(undefined)) return false
  for (const decimal of decimals as Decimal[]) {
    sum.total = addDecimals(sum.total, decimal)
    if (sum.least === undefined || compareDecimals(decimal, sum.least) < 0) sum.least = decimal
    if (sum.greatest === undefined || compareDecimals(decimal, sum.greatest) > 0) sum.greatest = decimal
  }
  return true
}

function resultOf(sum: Sum, fn: AggregateFunction | undefined): number | ExactNumber | undefined {
  switch (fn) {
    case 'count':
      return sum.rows
    case 'sum':
      return numberOf(sum.total)
    case 'min':
      return sum.least && numberOf(sum.least)
    case 'max':
      return sum.greatest && numberOf(sum.greatest)
    case 'avg': {
      const average = Number(decimalText(sum.total)) / sum.values
      return Number.isFinite(average) ? average + 0 : undefined
    }
    default:
      return undefined
  }
}

/** A copy whose text is the same however the upstream writes members and numbers. */
function canonical(value: unknown): unknown {
  if (typeof value === 'number' || value instanceof ExactNumber) {
    const decimal = decimalOf(value)
    return decimal === undefined ? value : numberOf(decimal)
  }
  if (Array.isArray(value)) return value.map(canonical)
  if (!isObject(value)) return value
  const copy: Record<string, unknown> = {}
  for (const name of Object.keys(value).toSorted()) setMember(copy, name, canonical(value[name]))
  return copy
}

/** Puts the value where the path leads, a list of one where it leads into a list; nowhere when something else is there. */
function place(target: Record<string, unknown>, [name = '', ...rest]: readonly string[], value: unknown): void {
  const present = Object.hasOwn(target, name) ? target[name] : undefined
  const [next] = rest
  if (next === undefined) {
    if (present === undefined) setMember(target, name, value)
    return
  }
  if (next !== eachElement) {
    const inner: Record<string, unknown> = isObject(present) ? { ...present } : {}
    if (present !== undefined && !isObject(present)) return
    place(inner, rest, value)
    return setMember(target, name, inner)
  }
  if (present === undefined || isHollow(present)) setMember(target, name, listOf(rest, value))
}

/** True for a list in which nothing is left but lists of which the same is true. */
function isHollow(value: unknown): boolean {
  return Array.isArray(value) && value.every(isHollow)
}

/** Lists of one, inside each other, around the value or an object that has it. */
function listOf([step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === eachElement) return [rest.length === 0 ? value : listOf(rest, value)]
  const inner: Record<string, unknown> = {}
  place(inner, [step ?? '', ...rest], value)
  return inner
}
