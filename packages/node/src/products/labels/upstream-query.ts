/** Asking the upstream for no more than may leave: the fields, the period and the filters of a release as parameters of
 *  the upstream's query, where the product says how. What comes back is minimised all the same. */
import { z } from 'zod'
import { coveredByAny, coversField, isFieldPath } from '@comity/core/consent/field-path'
import type { Release, ReleasePart } from '@comity/core/consent/release'
import { isGrouped } from '@comity/core/minimisation/row-groups'

const parameter = z.string().min(1).max(128)
const moment = z.strictObject({ parameter, format: z.enum(['date-time', 'date']).default('date-time') })

/** How the upstream takes what a call may have. */
export const upstreamQuerySchema = z.strictObject({
  fields: z.strictObject({ parameter, separator: z.enum([',', ' ', ';', '|']).default(',') }).optional(),
  from: moment.optional(),
  to: moment.optional(),
  /** By the field path of a filter. */
  filters: z
    .record(z.string().refine(isFieldPath, 'is not a field path such as `address.city`'), parameter)
    .default({}),
})

/** The setting with its defaults. */
export type UpstreamQuery = z.infer<typeof upstreamQuerySchema>

interface Parameters {
  readonly fields?: { readonly parameter?: string | undefined } | undefined
  readonly from?: { readonly parameter?: string | undefined } | undefined
  readonly to?: { readonly parameter?: string | undefined } | undefined
  readonly filters?: { readonly [path: string]: string | undefined } | undefined
}

/** What is wrong with the setting beside its shape; paths are relative to it. */
export function upstreamQueryFaults(
  query: Parameters,
  { date, subjects }: { readonly date: boolean; readonly subjects: readonly string[] },
): { readonly path: readonly string[]; readonly message: string }[] {
  const { fields, from, to, filters = {} } = query
  const named = [
    ...Object.entries({ fields, from, to }).map(([member, setting]) => ({
      path: [member, 'parameter'],
      name: setting?.parameter,
    })),
    ...Object.entries(filters).map(([path, name]) => ({ path: ['filters', path], name })),
  ].filter(({ name }) => name !== undefined)
  const undated = date ? [] : (['from', 'to'] as const).filter((member) => query[member] !== undefined)
  return [
    ...undated.map((member) => ({ path: [member], message: 'has no meaning without `date`' })),
    ...named.flatMap(({ path, name = '' }, index) => {
      if (subjects.includes(name)) return [{ path, message: 'is the parameter of the subject' }]
      const isRepeated = named.slice(0, index).some((other) => other.name === name)
      return isRepeated ? [{ path, message: `the parameter \`${name}\` is named twice` }] : []
    }),
  ]
}

/** What of an operation decides which parameters there are. */
export interface UpstreamAsked {
  readonly query: UpstreamQuery
  /** Labelled fields that its answers may have. */
  readonly carries: readonly string[]
  /** Field path of a row's date. */
  readonly date: string | undefined
}

/** Names and values of the parameters for a release. Empty when nothing of the release is in the answer. */
export function upstreamParameters({ query, carries, date }: UpstreamAsked, release: Release): [string, string[]][] {
  const parts = release.parts.filter(({ fields }) => fields.some((field) => isCarried(field, carries)))
  if (parts.length === 0) return []
  const { fields, from, to, filters } = query
  const wanted: [string | undefined, string[] | undefined][] = [
    [fields?.parameter, neededFields(parts, carries, date)],
    [from?.parameter, from && momentOf(bound(parts, 'fromMs'), from.format, Math.floor)],
    [to?.parameter, to && momentOf(bound(parts, 'toMs'), to.format, Math.ceil)],
    ...Object.entries(filters).map(([path, name]): [string, string[] | undefined] => [name, filterValue(parts, path)]),
  ]
  return wanted.flatMap(([name, values]): [string, string[]][] =>
    name === undefined || values === undefined ? [] : [[name, values]],
  )
}

function isCarried(field: string, carries: readonly string[]): boolean {
  return carries.some((label) => coversField(label, field) || coversField(field, label))
}

/** The released fields, and those by which rows are chosen, which stay here. */
function neededFields(parts: readonly ReleasePart[], carries: readonly string[], date: string | undefined): string[] {
  const needed = parts.flatMap(({ fields, filters, period, ...part }) => [
    ...[...fields, ...groupedBy(part)].filter((field) => isCarried(field, carries)),
    ...filters.map(({ path }) => path),
    ...(period === undefined || date === undefined ? [] : [date]),
  ])
  const once = [...new Set(needed)]
  return once.filter(
    (field) =>
      !coveredByAny(
        once.filter((other) => other !== field),
        field,
      ),
  )
}

/** Fields by which rows leave in groups, asked for or not. */
function groupedBy(part: Pick<ReleasePart, 'givable' | 'transforms' | 'groupsOf'>): readonly string[] {
  return isGrouped(part) ? (part.givable ?? []) : []
}

/** The fields that the upstream must answer for the groups of a release, though the call may not ask for them. */
export function fieldsOfGroups({ parts }: Release): readonly string[] {
  return [...new Set(parts.flatMap(groupedBy))]
}

/** The widest of all parts; undefined when one of them has no bound. */
function bound(parts: readonly ReleasePart[], end: 'fromMs' | 'toMs'): number | undefined {
  const bounds = parts.map(({ period }) => period?.[end])
  if (bounds.includes(undefined)) return undefined
  return (end === 'fromMs' ? Math.min : Math.max)(...(bounds as number[]))
}

const dayMs = 86_400_000
/** Years that RFC 3339 can write. */
const [earliestMs, latestMs] = [Date.UTC(0, 0), Date.UTC(9_999, 11, 31)]

function momentOf(
  ms: number | undefined,
  format: 'date-time' | 'date',
  toDay: (days: number) => number,
): string[] | undefined {
  if (ms === undefined || ms < earliestMs || ms > latestMs) return undefined
  if (format === 'date') return [new Date(toDay(ms / dayMs) * dayMs).toISOString().slice(0, 10)]
  return [new Date(ms).toISOString().replace('.000Z', 'Z')]
}

/** The value that every part demands at the path. */
function filterValue(parts: readonly ReleasePart[], path: string): string[] | undefined {
  const values = parts.map(({ filters }) => {
    const found = filters.find((filter) => filter.path === path && filter.op === '=')
    return found === undefined || typeof found.value === 'object' ? undefined : found.value
  })
  const [first] = values
  return first !== undefined && values.every((value) => value === first) ? [String(first)] : undefined
}

/** A parameter as it stands in the query. */
export function writeUpstreamParameter(name: string, values: readonly string[], separator = ','): string {
  const between = separator === ',' ? ',' : encodeURIComponent(separator)
  return `${encodeURIComponent(name)}=${values.map((value) => encodeURIComponent(value)).join(between)}`
}
