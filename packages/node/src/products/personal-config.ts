/** What an operator declares of a product of class `personal`: where a request names its subject, where the rows of an
 *  answer are, and which fields belong to which domain of data. */
import { z } from 'zod'
import { isDataDomain } from '@comity/core/consent/data-domain'
import { consentActions } from '@comity/core/consent/consent-scope'
import { coversField, isFieldPath } from '@comity/core/consent/field-path'
import { isAnswerPath } from '@comity/core/minimisation/answer-path'

const fieldPath = z.string().refine(isFieldPath, 'is not a field path such as `address.city` or `results[].event`')
const answerPath = z.string().refine(isAnswerPath, 'is not a path into an answer such as `items[]`, `[]` or `total`')
const parameterName = z.string().min(1).max(128)
const operationName = z.string().min(1).max(256)

const subjectSchema = z
  .strictObject({
    in: z.enum(['path', 'query', 'body']),
    name: parameterName.optional(),
    /** JSON pointer (RFC 6901) into the body. */
    pointer: z
      .string()
      .max(512)
      .regex(/^(?:\/(?:[^~/]|~[01])+)+$/, 'is not a JSON pointer such as `/athlete`')
      .optional(),
  })
  .superRefine((subject, context) => {
    const [needed, other] = subject.in === 'body' ? (['pointer', 'name'] as const) : (['name', 'pointer'] as const)
    if (subject[needed] === undefined) context.addIssue({ code: 'custom', path: [needed], message: 'is missing' })
    if (subject[other] === undefined) return
    context.addIssue({ code: 'custom', path: [other], message: `does not go with \`in: ${subject.in}\`` })
  })

const openPaths = z.array(answerPath.min(1)).max(100)

const operationSchema = z.strictObject({
  subject: subjectSchema.optional(),
  action: z.enum(consentActions).optional(),
  rows: answerPath.optional(),
  date: fieldPath.optional(),
  open: openPaths.optional(),
})

/** The section `personal` of a product. */
export const personalConfigSchema = z.strictObject({
  /** For operations that say nothing themselves. */
  subject: subjectSchema.optional(),
  rows: answerPath.default(''),
  date: fieldPath.optional(),
  open: openPaths.default([]),
  domains: z
    .record(
      z.string().refine(isDataDomain, 'is not a domain such as `health.medication`'),
      z.array(fieldPath).min(1).max(1_000),
    )
    .refine((domains) => Object.keys(domains).length > 0, 'must name one domain at least'),
  operations: z.record(operationName, operationSchema).default({}),
  /** Operations about nobody. */
  withoutSubject: z.array(operationName).max(1_000).default([]),
  requestedFields: parameterName.optional(),
  forwardRequestedFields: z.boolean().default(false),
})

/** The section with its defaults. */
export type PersonalConfig = DeepReadonly<z.infer<typeof personalConfigSchema>>

/** A parsed value that nobody changes. */
export type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

/** Where a request names its subject. */
export type SubjectPlace =
  { readonly in: 'path' | 'query'; readonly name: string } | { readonly in: 'body'; readonly pointer: string }

/** One thing that is wrong with a product's settings; `path` is relative to the product. */
export interface SettingsFault {
  readonly path: readonly (string | number)[]
  readonly message: string
}

type Partially<T> = T extends readonly (infer Item)[]
  ? readonly Partially<Item>[]
  : T extends object
    ? { readonly [K in keyof T]?: Partially<T[K]> | undefined }
    : T

/** What is judged: settings of which any may be absent, those that are there having the type of the schema. */
export interface SettingsDraft {
  readonly class?: string | undefined
  readonly personal?: Partially<PersonalConfig> | undefined
}

/** Every mistake of a product's `personal` section that no single entry shows. */
export function personalFaults({ class: productClass, personal }: SettingsDraft): SettingsFault[] {
  if (personal === undefined) {
    const message = 'is missing; a personal product says where its subject is and which fields are personal'
    return productClass === 'personal' ? [{ path: ['personal'], message }] : []
  }
  const misplaced = productClass !== undefined && productClass !== 'personal'
  return [
    ...(misplaced ? [{ path: ['personal'], message: 'only stands with `class: personal`' }] : []),
    ...labelFaults(personal),
    ...openFaults(personal),
    ...operationFaults(personal),
    ...requestedFaults(personal),
  ].map(({ path, message }) => ({ path: path[0] === 'personal' ? path : ['personal', ...path], message }))
}

type Section = Partially<PersonalConfig>

/** A field that lies below another one would leave with it. */
function labelFaults(section: Section): SettingsFault[] {
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

function placedLabels({ domains = {} }: Section): { label: string; path: (string | number)[] }[] {
  return Object.entries(domains).flatMap(([domain, fields]) =>
    (Array.isArray(fields) ? (fields as readonly unknown[]) : []).flatMap((label, index) =>
      typeof label === 'string' ? [{ label, path: ['domains', domain, index] }] : [],
    ),
  )
}

const overlap = (a: string, b: string) => coversField(a, b) || coversField(b, a)

/** What is open leaves without being asked about: it must not be where the data of people is. */
function openFaults(section: Section): SettingsFault[] {
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
      const personal = layout.rows === '' ? labels : [layout.rows]
      const met = typeof path === 'string' ? personal.find((each) => overlap(each, path)) : undefined
      if (met === undefined) return []
      const message = `the open path \`${path}\` and \`${met}\`, which is about people, lie in each other`
      return [{ path: layout.path.at(-1) === 'rows' ? layout.path : [...layout.path, index], message }]
    }),
  )
}

function operationFaults({ withoutSubject = [], operations = {} }: Section): SettingsFault[] {
  return withoutSubject.flatMap((id, index) => {
    if (typeof id !== 'string') return []
    if (Object.hasOwn(operations, id)) {
      return [{ path: ['withoutSubject', index], message: `\`${id}\` stands in \`operations\` too` }]
    }
    return withoutSubject.indexOf(id) === index
      ? []
      : [{ path: ['withoutSubject', index], message: `\`${id}\` is named twice` }]
  })
}

function requestedFaults({
  requestedFields,
  forwardRequestedFields,
  subject,
  operations = {},
}: Section): SettingsFault[] {
  if (requestedFields === undefined) {
    const message = 'has no meaning without `requestedFields`'
    return forwardRequestedFields === true ? [{ path: ['forwardRequestedFields'], message }] : []
  }
  const subjects = [subject, ...Object.values(operations).map((operation) => operation?.subject)]
  const isSubject = subjects.some((each) => each?.in === 'query' && each.name === requestedFields)
  return isSubject ? [{ path: ['requestedFields'], message: 'is the parameter of the subject' }] : []
}

/** The place as the code uses it. */
export function subjectPlaceOf({
  in: place,
  name = '',
  pointer = '',
}: DeepReadonly<z.infer<typeof subjectSchema>>): SubjectPlace {
  return place === 'body' ? { in: place, pointer } : { in: place, name }
}
