/** The small schemas that routes of the admin API have in common, and the types that follow from schemas. */
import { z } from 'zod'
import { timeSchema } from '../http/input-words.ts'

export type DeepReadonly<T> = T extends readonly (infer Entry)[]
  ? readonly DeepReadonly<Entry>[]
  : T extends object
    ? { readonly [Member in keyof T]: DeepReadonly<T[Member]> }
    : T

/** What a schema of an answer allows, as nobody may change it. */
export type View<S extends z.ZodType> = DeepReadonly<z.output<S>>

/** JSON Schema of a schema that zod cannot tell by itself. */
export const shownAs = z.registry<{ readonly schema: Readonly<Record<string, unknown>> }>()

/** A text of 1 to so many characters. */
export const text = (longest: number): z.ZodString => z.string().min(1).max(longest)

/** RFC 3339 with an offset, in UTC no later than the year 9999. */
export const moment = timeSchema

/** Milliseconds since the epoch. */
export const milliseconds = z.int().nonnegative()

export const did = z.string().meta({ description: 'A DID.', examples: ['did:web:lab.example'] })

/** A parameter of a path. What it names is looked up: one that nothing has is unknown, not malformed. */
export const named = (description: string) => ({ id: z.string().min(1).meta({ description }) })

/** A whole number in a query. */
export function wholeNumber(least: number, most: number) {
  const schema = z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(least).max(most))
  return schema.register(shownAs, { schema: { type: 'integer', minimum: least, maximum: Math.min(most, 1e15 - 1) } })
}

/** A truth value in a query. */
export const truth = z
  .enum(['true', 'false'])
  .transform((word) => word === 'true')
  .register(shownAs, { schema: { type: 'boolean' } })

/** Entries on a page of a list. */
export function limit(usual: number, most = 1_000) {
  const shown = {
    type: 'integer',
    minimum: 1,
    maximum: most,
    default: usual,
    description: 'Entries on a page, at most.',
  }
  return wholeNumber(1, most).default(usual).register(shownAs, { schema: shown })
}

/** Where a page begins, in a list that has the newest first. */
export const before = text(100)
  .optional()
  .meta({ description: 'Name of the last entry of the page before; `Link` gives it.' })

/** The same in a list that has the oldest first, or is in the order of names. */
export const after = text(2_048)
  .optional()
  .meta({ description: 'Name of the last entry of the page before; `Link` gives it.' })

/** A JSON object of a type that another part of the node defines and has checked. */
export function documentOf<T extends object>(description: string): z.ZodType<T> {
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
  return z.custom<T>(isObject, 'must be an object').register(shownAs, { schema: { type: 'object', description } })
}

/** The schema that is shown in place of another, which leaves the rest of the judgement to a service. */
export const judgedBy = z.registry<{ readonly schema: object }>()

/** A body that its own service judges, with codes of its own. `schema` is what it judges by. */
export function judgedLater(schema: z.ZodType): z.ZodType<unknown> {
  return z.unknown().register(judgedBy, { schema })
}

/** Of a list in memory, a page in the order of the names. */
export function pageOf<T>(
  entries: readonly T[],
  page: { readonly after?: string | undefined; readonly limit: number },
  keyOf: (entry: T) => string,
): readonly T[] {
  const compare = (a: T, b: T) => (keyOf(a) < keyOf(b) ? -1 : 1)
  const { after: from } = page
  const rest = from === undefined ? entries : entries.filter((entry) => keyOf(entry) > from)
  return rest.toSorted(compare).slice(0, page.limit)
}
