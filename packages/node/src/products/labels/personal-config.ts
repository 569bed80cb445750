/** What an operator declares of a product of class `personal`: beside what `data-config.ts` has, where a request names
 *  its subject. */
import { z } from 'zod'
import { localised, nameText } from '@comity/core/consent/consent-texts'
import { coversDomain } from '@comity/core/consent/data-domain'
import { coversField } from '@comity/core/consent/field-path'
import {
  dataFaults,
  exemptionFaults,
  operationName,
  operationShape,
  parameterName,
  sectionFaults,
  sectionShape,
  type DataConfig,
  type DeepReadonly,
  type Partially,
  type SettingsFault,
} from './data-config.ts'
import { sealingFaults, type SealingDraft } from '../sealing-config.ts'

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

/** One text, or one for each language. */
const nameForPeople = z.union([nameText(200), localised(nameText(200))])
const namesById = z.record(z.string().max(2_048), nameForPeople).default({})

/** The section `personal` of a product. */
export const personalConfigSchema = z.strictObject({
  /** For operations that say nothing themselves. */
  subject: subjectSchema.optional(),
  ...sectionShape,
  /** What people read for fields and domains. */
  names: z.strictObject({ fields: namesById, domains: namesById }).prefault({}),
  operations: z
    .record(operationName, z.strictObject({ subject: subjectSchema.optional(), ...operationShape }))
    .default({}),
  /** Operations about nobody. */
  withoutSubject: z.array(operationName).max(1_000).default([]),
})

/** The section with its defaults. */
export type PersonalConfig = DeepReadonly<z.infer<typeof personalConfigSchema>>

/** Where a request names its subject. */
export type SubjectPlace =
  { readonly in: 'path' | 'query'; readonly name: string } | { readonly in: 'body'; readonly pointer: string }

/** What is judged: settings of which any may be absent, those that are there having the type of the schema. */
export interface SettingsDraft extends Pick<SealingDraft, 'sealing'> {
  readonly class?: string | undefined
  readonly personal?: Partially<PersonalConfig> | undefined
  readonly data?: Partially<DataConfig> | undefined
  readonly keys?: string | undefined
}

/** Every mistake of a product's sections about its data that no single entry shows. */
export function labelledFaults(draft: SettingsDraft): SettingsFault[] {
  return [...personalFaults(draft), ...dataFaults(draft), ...sealingFaults(draft), ...keyFaults(draft)]
}

/** A consent is bound to the key with which its recipient signs; whoever presents another has none. */
function keyFaults({ class: productClass, keys }: SettingsDraft): SettingsFault[] {
  if (productClass !== 'personal' || keys === undefined || keys === 'none') return []
  return [{ path: ['keys'], message: 'must be `none` with `class: personal`: calls about people are signed' }]
}

function personalFaults({ class: productClass, personal }: SettingsDraft): SettingsFault[] {
  if (personal === undefined) {
    const message = 'is missing; a personal product says where its subject is and which fields are personal'
    return productClass === 'personal' ? [{ path: ['personal'], message }] : []
  }
  const misplaced = productClass !== undefined && productClass !== 'personal'
  const message = 'only stands with `class: personal`; for other classes the section is `data`'
  return [
    ...(misplaced ? [{ path: [], message }] : []),
    ...sectionFaults(personal, 'which is about people', subjectParameters(personal)),
    ...exemptionFaults(personal, { name: 'withoutSubject', ids: personal.withoutSubject }),
    ...subjectFaults(personal),
    ...nameFaults(personal),
  ].map((fault) => ({ path: ['personal', ...fault.path], message: fault.message }))
}

function subjectFaults(personal: NonNullable<SettingsDraft['personal']>): SettingsFault[] {
  const { requestedFields } = personal
  const isSubject = requestedFields !== undefined && subjectParameters(personal).includes(requestedFields)
  return isSubject ? [{ path: ['requestedFields'], message: 'is the parameter of the subject' }] : []
}

/** Names of the query parameters that name a person. */
function subjectParameters({ subject, operations = {} }: NonNullable<SettingsDraft['personal']>): string[] {
  const subjects = [subject, ...Object.values(operations).map((operation) => operation?.subject)]
  return subjects.flatMap((each) => (each?.in === 'query' && each.name !== undefined ? [each.name] : []))
}

/** A name that is given to nothing would never be read. */
function nameFaults({ names, domains = {} }: NonNullable<SettingsDraft['personal']>): SettingsFault[] {
  const labels = Object.values(domains).flatMap((fields) => (Array.isArray(fields) ? (fields as string[]) : []))
  const isField = (path: string) => labels.some((label) => coversField(label, path) || coversField(path, label))
  const isDomain = (name: string) => Object.keys(domains).some((domain) => coversDomain(name, domain))
  return [
    ...Object.keys(names?.fields ?? {}).flatMap((path): SettingsFault[] =>
      isField(path) ? [] : [{ path: ['names', 'fields', path], message: `no domain has a field \`${path}\`` }],
    ),
    ...Object.keys(names?.domains ?? {}).flatMap((name): SettingsFault[] =>
      isDomain(name)
        ? []
        : [{ path: ['names', 'domains', name], message: `no field belongs to the domain \`${name}\`` }],
    ),
  ]
}

/** The place as the code uses it. */
export function subjectPlaceOf({
  in: place,
  name = '',
  pointer = '',
}: DeepReadonly<z.infer<typeof subjectSchema>>): SubjectPlace {
  return place === 'body' ? { in: place, pointer } : { in: place, name }
}
