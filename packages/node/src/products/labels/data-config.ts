/** What an operator declares of the data in a product's answers, whatever its class: where the rows are, which fields
 *  belong to which domain of data, and how sensitive they are. */
import { z } from 'zod'
import { coversDomain, isDataDomain } from '@comity/core/consent/data-domain'
import { consentActions } from '@comity/core/consent/consent-scope'
import { coversField, isFieldPath } from '@comity/core/consent/field-path'
import { isAnswerPath } from '@comity/core/minimisation/answer-path'
import { sensitivities } from '@comity/core/policy/sensitivity'
import { upstreamQueryFaults, upstreamQuerySchema } from './upstream-query.ts'

const fieldPath = z.string().refine(isFieldPath, 'is not a field path such as `address.city` or `results[].event`')
const answerPath = z.string().refine(isAnswerPath, 'is not a path into an answer such as `items[]`, `[]` or `total`')
const domainName = z.string().refine(isDataDomain, 'is not a domain such as `health.medication`')
const openPaths = z.array(answerPath.min(1)).max(100)
const level = z.enum(sensitivities)

/** Name of a parameter, as the OpenAPI document has it. */
export const parameterName = z.string().min(1).max(128)
/** `operationId`, or method and template. */
export const operationName = z.string().min(1).max(256)

/** What may be said of one operation. */
export const operationShape = {
  action: z.enum(consentActions).optional(),
  rows: answerPath.optional(),
  date: fieldPath.optional(),
  open: openPaths.optional(),
  /** The answer leaves row by row while it arrives. */
  stream: z.boolean().optional(),
  /** Of an operation that changes: where the rows of its body are, and which members are written without a label. */
  body: z.strictObject({ rows: answerPath.default(''), open: openPaths.default([]) }).optional(),
  /** Instead: what every call of it changes, whatever its body says. */
  changes: z.array(fieldPath).max(1_000).optional(),
}

const sensitivitySchema = z.strictObject({
  default: level.optional(),
  domains: z.record(domainName, level).default({}),
  fields: z.record(fieldPath, level).default({}),
})

/** What both sections, `data` and `personal`, have in common. */
export const sectionShape = {
  rows: answerPath.default(''),
  date: fieldPath.optional(),
  open: openPaths.default([]),
  domains: z
    .record(domainName, z.array(fieldPath).min(1).max(1_000))
    .refine((domains) => Object.keys(domains).length > 0, 'must name one domain at least'),
  sensitivity: sensitivitySchema.prefault({}),
  requestedFields: parameterName.optional(),
  forwardRequestedFields: z.boolean().default(false),
  /** The upstream gets the released fields in that parameter. */
  forwardReleasedFields: z.boolean().default(false),
  upstreamQuery: upstreamQuerySchema.optional(),
  /** Paths of which the operator knows that they never leave. */
  withheld: z.array(answerPath.min(1)).max(1_000).default([]),
}

/** The section `data` of a product of class `public` or `partner`. */
export const dataConfigSchema = z.strictObject({
  ...sectionShape,
  operations: z.record(operationName, z.strictObject(operationShape)).default({}),
  /** Operations without labelled fields: their answers leave whole. */
  withoutData: z.array(operationName).max(1_000).default([]),
})

/** The section with its defaults. */
export type DataConfig = DeepReadonly<z.infer<typeof dataConfigSchema>>

/** A parsed value that nobody changes. */
export type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

/** One thing that is wrong with a product's settings; `path` is relative to the product. */
export interface SettingsFault {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** A value of which anything may be absent, what is there having its type. */
export type Partially<T> = T extends readonly (infer Item)[]
  ? readonly Partially<Item>[]
  : T extends object
    ? { readonly [K in keyof T]?: Partially<T[K]> | undefined }
    : T

/** Every mistake of a `data` section that no single entry shows. */
export function dataFaults(draft: {
  readonly class?: string | undefined
  readonly data?: Partially<DataConfig> | undefined
}): SettingsFault[] {
  const { class: productClass, data } = draft
  if (data === undefined) return []
  const message = 'stands in `personal` where the class is `personal`'
  return [
    ...(productClass === 'personal' ? [{ path: [], message }] : []),
    ...sectionFaults(data, 'which holds labelled fields'),
    ...exemptionFaults(data, { name: 'withoutData', ids: data.withoutData }),
  ].map((fault) => ({ path: ['data', ...fault.path], message: fault.message }))
}

/** A section as it is judged. */
export type SectionDraft = Partially<Omit<DataConfig, 'withoutData'>>

/** What can be wrong in either section; paths are relative to it. `about` says of labelled data what it is, `subjects`
 *  are the query parameters that name a person. */
export function sectionFaults(section: SectionDraft, about: string, subjects: readonly string[] = []): SettingsFault[] {
  return [
    ...labelFaults(section),
    ...sensitivityFaults(section),
    ...openFaults(section, about),
    ...requestedFaults(section),
    ...queryFaults(section, subjects),
    ...withheldFaults(section),
  ]
}

interface PlacedLabel {
  readonly label: string
  readonly path: readonly (string | number)[]
}

const overlap = (a: string, b: string) => coversField(a, b) || coversField(b, a)

/** A field that lies below another one would leave with it. */
function labelFaults(section: SectionDraft): SettingsFault[] {
  const labels = placedLabels(section)
  return labels.flatMap(({ label, path }, index) => {
    const earlier = labels.slice(0, index).find((other) => overlap(other.label, label))
    if (earlier === undefined) return []
    const message =
      earlier.label === label
        ? `\`${label}\` is named twice`
        : `\`${label}\` and \`${earlier.label}\` lie in each other`
    return [{ path, message }]
  })
}

function placedLabels({ domains = {} }: SectionDraft): PlacedLabel[] {
  return Object.entries(domains).flatMap(([domain, fields]) =>
    (Array.isArray(fields) ? (fields as readonly unknown[]) : []).flatMap((label, index) =>
      typeof label === 'string' ? [{ label, path: ['domains', domain, index] }] : [],
    ),
  )
}

/** A level that is given to nothing is a level that something else lacks. */
function sensitivityFaults(section: SectionDraft): SettingsFault[] {
  const { domains = {}, sensitivity } = section
  const labels = placedLabels(section).map(({ label }) => label)
  const ofDomains = Object.keys(sensitivity?.domains ?? {}).flatMap((name) => {
    if (Object.keys(domains).some((domain) => coversDomain(name, domain))) return []
    return [{ path: ['sensitivity', 'domains', name], message: `no field belongs to the domain \`${name}\`` }]
  })
  const ofFields = Object.keys(sensitivity?.fields ?? {}).flatMap((field) => {
    if (labels.some((label) => coversField(field, label))) return []
    const above = labels.find((label) => coversField(label, field))
    const message =
      above === undefined
        ? `no domain has a field \`${field}\``
        : `\`${field}\` lies in \`${above}\`, which has one level for all of it`
    return [{ path: ['sensitivity', 'fields', field], message }]
  })
  return [...ofDomains, ...ofFields]
}

/** What is open leaves without being asked about: it must not be where labelled data is. */
function openFaults(section: SectionDraft, about: string): SettingsFault[] {
  const { rows = '', open = [], operations = {} } = section
  const labels = placedLabels(section).map(({ label }) => label)
  const layouts = [
    { rows, open, path: ['open'] },
    ...Object.entries(operations).map(([id, operation]) => ({
      rows: operation?.rows ?? rows,
      open: operation?.open ?? (operation?.rows === undefined ? [] : open),
      path: operation?.open === undefined ? ['operations', id, 'rows'] : ['operations', id, 'open'],
    })),
  ]
  return layouts.flatMap((layout) =>
    layout.open.flatMap((path, index) => {
      const labelled = layout.rows === '' ? labels : [layout.rows]
      const met = typeof path === 'string' ? labelled.find((each) => overlap(each, path)) : undefined
      if (met === undefined) return []
      const message = `the open path \`${path}\` and \`${met}\`, ${about}, lie in each other`
      return [{ path: layout.path.at(-1) === 'rows' ? layout.path : [...layout.path, index], message }]
    }),
  )
}

/** Operations that are said to be out of the section, and are in it, or twice. */
export function exemptionFaults(
  { operations = {} }: SectionDraft,
  { name, ids = [] }: { readonly name: string; readonly ids: readonly unknown[] | undefined },
): SettingsFault[] {
  return ids.flatMap((id, index) => {
    if (typeof id !== 'string') return []
    if (Object.hasOwn(operations, id)) {
      return [{ path: [name, index], message: `\`${id}\` stands in \`operations\` too` }]
    }
    return ids.indexOf(id) === index ? [] : [{ path: [name, index], message: `\`${id}\` is named twice` }]
  })
}

function requestedFaults({
  requestedFields,
  forwardRequestedFields = false,
  forwardReleasedFields = false,
  upstreamQuery,
}: SectionDraft): SettingsFault[] {
  const aimless = Object.entries({ forwardRequestedFields, forwardReleasedFields }).filter(([, isSet]) => isSet)
  if (requestedFields === undefined) {
    return aimless.map(([name]) => ({ path: [name], message: 'has no meaning without `requestedFields`' }))
  }
  if (aimless.length === 2) {
    return [{ path: ['forwardReleasedFields'], message: 'does not go with `forwardRequestedFields`' }]
  }
  const isDouble = forwardReleasedFields && upstreamQuery?.fields !== undefined
  return isDouble ? [{ path: ['forwardReleasedFields'], message: 'does not go with `upstreamQuery.fields`' }] : []
}

/** What is released cannot be known to be withheld. */
function withheldFaults(section: SectionDraft): SettingsFault[] {
  const { withheld = [] } = section
  const released = [...placedLabels(section).map(({ label }) => label), ...(section.open ?? [])]
  return withheld.flatMap((path, index) => {
    const met = typeof path === 'string' && released.find((each) => typeof each === 'string' && coversField(path, each))
    return typeof met === 'string'
      ? [{ path: ['withheld', index], message: `\`${met}\`, which lies in it, is released` }]
      : []
  })
}

function queryFaults({ upstreamQuery, date, operations = {} }: SectionDraft, subjects: readonly string[]) {
  if (upstreamQuery === undefined) return []
  const isDated = date !== undefined || Object.values(operations).some((operation) => operation?.date !== undefined)
  return upstreamQueryFaults(upstreamQuery, { date: isDated, subjects }).map(({ path, message }) => ({
    path: ['upstreamQuery', ...path],
    message,
  }))
}
