/** Agreements as documents: ODRL 2.2 policies of type Agreement in the JSON of the Dataspace Protocol 2025-1
 *  (contract-schema.json), their canonical form (RFC 8785) and hash. */
import { sha256 } from '#crypto'
import { z } from 'zod'
import { encodeBase64url } from '../bytes/base64url.ts'
import { canonicalJson } from '../bytes/canonical-json.ts'
import { parseDid } from '../identity/did.ts'
import { Problem } from '../problems.ts'
import { parseDateTime } from './date-time.ts'
import { dataspaceContext } from './vocabulary.ts'

/** Longest canonical agreement, in characters. */
export const maxAgreementLength = 64 * 1024

/** One thing that is wrong in a document, by JSON pointer (RFC 6901); `''` is the whole. */
export interface AgreementError {
  readonly pointer: string
  readonly detail: string
}

const did = z.string().max(2048).refine(isDid, 'not a DID of a supported method')
const agreementSchema = z
  .looseObject({
    '@context': z.array(z.string()).refine((urls) => urls.includes(dataspaceContext), `lacks ${dataspaceContext}`),
    '@id': z
      .string()
      .regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'not a lower-case urn:uuid'),
    '@type': z.literal('Agreement'),
    assigner: did,
    assignee: did,
    target: z.string().min(1).max(2048),
    timestamp: z.string().refine((text) => parseDateTime(text) !== undefined, 'not an xsd:dateTime with a time zone'),
    permission: z.array(z.looseObject({})).min(1).max(100),
  })
  .refine(({ assigner, assignee }) => assigner !== assignee, { message: 'is the assigner', path: ['assignee'] })

/** A document of the right shape. What its rules say, and whether they can be enforced, is `readAgreementTerms`. */
export type AgreementDocument = Readonly<z.infer<typeof agreementSchema>>

/** Reads a JSON value as an agreement. Throws `agreement-malformed` with every mistake in `errors`. */
export function parseAgreement(value: unknown): AgreementDocument {
  const result = agreementSchema.safeParse(value)
  if (!result.success) throw malformedAgreement(zodErrors(result.error))

  // The value itself, not the schema's copy of it: what is signed must be what was read, to the last member.
  const agreement = value as AgreementDocument
  if (canonicalAgreement(agreement).length > maxAgreementLength) {
    throw malformedAgreement([{ pointer: '', detail: `longer than ${maxAgreementLength} characters` }])
  }
  return agreement
}

/** The text that is hashed and signed (RFC 8785). Throws `agreement-malformed` for what I-JSON cannot hold. */
export function canonicalAgreement(agreement: AgreementDocument): string {
  try {
    return canonicalJson(agreement)
  } catch (cause) {
    throw new Problem('agreement-malformed', 'the agreement has no canonical form', { cause })
  }
}

/** SHA-256 of the canonical text, base64url. */
export function agreementHash(agreement: AgreementDocument): string {
  return encodeBase64url(sha256(canonicalAgreement(agreement)))
}

/** The problem that lists what is wrong with the shape of a document. */
export function malformedAgreement(errors: readonly AgreementError[]): Problem {
  const [first] = errors
  const detail = first === undefined ? 'the agreement cannot be read' : `\`${first.pointer}\`: ${first.detail}`
  return new Problem('agreement-malformed', detail, { members: { errors } })
}

/** The mistakes that a schema found, by JSON pointer. */
export function zodErrors(error: z.ZodError): AgreementError[] {
  return error.issues.map(({ path, message }) => ({ pointer: jsonPointer(path), detail: message }))
}

/** A path into a document as a JSON pointer (RFC 6901). */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function isDid(text: string): boolean {
  try {
    parseDid(text)
    return true
  } catch {
    return false
  }
}
