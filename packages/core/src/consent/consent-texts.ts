/** The small texts that requests, templates, records and tokens are made of, as strict schemas, and how their faults
 *  are told. */
import { z } from 'zod'
import { zodErrors, type AgreementError } from '../agreement/agreement.ts'
import { parseDateTime } from '../agreement/date-time.ts'
import { isDid } from '../identity/did.ts'
import { Problem, type ProblemCode } from '../problems.ts'
import type { LocalisedText } from './consent-record.ts'
import { isCountryCode } from './country-codes.ts'
import { isDataDomain } from './data-domain.ts'
import { durationBounds, parseDuration } from './durations.ts'
import { isFieldPath } from './field-path.ts'
import { hiddenInId, hiddenInName, hiddenInText } from './visible-text.ts'

/** A schema for each member of a type, and for no other. */
export type Shape<T> = { readonly [K in keyof T]-?: z.ZodType<T[K]> }

/** A text of 1 to so many characters (UTF-16), none of which is hidden. It stays as it was written; texts are never
 *  normalised. */
export function text(maxLength: number): z.ZodString {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .refine((value) => value.isWellFormed(), 'holds characters that cannot be shown')
    .refine((value) => hiddenInText(value) === undefined, { error: ({ input }) => hidden(hiddenInText(String(input))) })
}

/** A name or a title: a text in which nothing is invisible that its script does not need. */
export function nameText(maxLength: number): z.ZodString {
  return text(maxLength).refine((value) => hiddenInName(value) === undefined, {
    error: ({ input }) => hidden(hiddenInName(String(input))),
  })
}

/** What programs compare and people read: nothing in it is invisible. */
function idText(maxLength: number): z.ZodString {
  return text(maxLength).refine((value) => hiddenInId(value) === undefined, {
    error: ({ input }) => hidden(hiddenInId(String(input))),
  })
}

function hidden(character = ''): string {
  return `holds ${character}, which nobody can see; write it without`
}

/** A list of 1 to so many. */
export function list<T extends z.ZodType>(element: T, max: number): z.ZodArray<T> {
  return z.array(element).min(1).max(max)
}

/** Never one that a browser would run, since a page may make a link of it. */
export const iri = idText(2048).regex(
  /^(?!(?:javascript|vbscript|data|blob|file):)[A-Za-z][A-Za-z0-9+.-]*:\S+$/i,
  'not an IRI',
)
export const webUrl = idText(2048).refine(isWebUrl, 'not an http or https URL')
export const did = z.string().max(2048).refine(isDid, 'not a DID of a supported method')
export const didOrUrl = idText(2048).refine((value) => isDid(value) || isWebUrl(value), 'neither a DID nor a URL')
export const uuidUrn = z
  .string()
  .regex(
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    'not `urn:uuid:` and a UUIDv7',
  )
export const sha256Hash = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, 'not SHA-256 in base64url')
export const country = z.string().max(2).refine(isCountryCode, 'not a country code of ISO 3166-1 alpha-2')
export const countries = list(country, 250)
export const moment = z.string().refine(isMoment, 'not a moment of RFC 3339 in UTC')
export const duration = z.string().max(64).refine(isLasting, 'not a duration of ISO 8601')
export const durationOrNone = z
  .string()
  .max(64)
  .refine((value) => parseDuration(value) !== undefined, 'not a duration of ISO 8601')
export const fieldPath = idText(2048).refine(isFieldPath, 'not a field path')
export const dataDomain = z.string().max(520).refine(isDataDomain, 'not a data domain')
/** Id of a grant, unique in its record. */
export const grantId = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'not an id of letters, digits, `.`, `_` and `-`')
export const languageTag = z
  .string()
  .max(35)
  .regex(/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/, 'not a language tag of BCP 47')

/** Texts by language, at least one. */
export function localised(words: z.ZodString): z.ZodType<LocalisedText> {
  return z
    .record(languageTag, words)
    .refine((texts) => Object.keys(texts).length > 0, 'no language')
    .refine((texts) => Object.keys(texts).length <= 64, 'too many languages')
}

/** The value as the schema reads it. Throws a problem of the code with every fault in `errors`, by JSON pointer. */
export function parseAs<T>(schema: z.ZodType<T>, value: unknown, code: ProblemCode): T {
  const result = schema.safeParse(value)
  if (!result.success) throw faulty(code, zodErrors(result.error))
  return result.data
}

/** The problem that lists faults. */
export function faulty(code: ProblemCode, errors: readonly AgreementError[]): Problem {
  const [first] = errors
  const detail = first === undefined ? 'it cannot be read' : `\`${first.pointer}\`: ${first.detail}`
  return new Problem(code, detail, { members: { errors } })
}

/** Milliseconds of a moment that was read before. */
export function momentMs(value: string): number {
  return parseDateTime(value) ?? Number.NaN
}

// RFC 3339 has seconds, and no hour 24, which `parseDateTime` takes.
function isMoment(value: string): boolean {
  return /T(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,3})?Z$/.test(value) && parseDateTime(value) !== undefined
}

function isWebUrl(value: string): boolean {
  return /^https?:\/\/[^/]/.test(value) && URL.canParse(value)
}

function isLasting(value: string): boolean {
  const parsed = parseDuration(value)
  return parsed !== undefined && durationBounds(parsed).shortestMs > 0
}
