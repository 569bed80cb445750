/** What a recipient asks for (`POST /consents/requests`), and the terms that come of it with its template. */
import { sha256Text } from '#crypto'
import { z } from 'zod'
import { canonicalJson } from '../bytes/canonical-json.ts'
import { otherParties, partyMembers } from './consent-record-schema.ts'
import type { ConsentGrant, ConsentGrantor, ConsentParty, LocalisedText } from './consent-record.ts'
import { noticeTexts, type ConsentTemplate } from './consent-template.ts'
import { duration, faulty, parseAs, text, webUrl, type Shape } from './consent-texts.ts'
import { isDurationWithin, parseDuration } from './durations.ts'
import { grantsSchema } from './parse-grants.ts'

/** The notice of a request: one text in several languages, of which the person sees one. */
export interface OfferedNotice {
  readonly version: string
  readonly text: LocalisedText
  readonly uri?: string | undefined
}

export interface ConsentRequest {
  readonly subject: {
    /** The person as the holder's own systems know them. */
    readonly reference: string
    readonly type: 'person' | 'child' | 'org' | 'device'
  }
  readonly kind: 'personal' | 'business'
  /** A signed template (`parseTemplate`), or `grants` and `notice` in its place. */
  readonly template?: string | undefined
  readonly grants?: readonly ConsentGrant[] | undefined
  readonly notice?: OfferedNotice | undefined
  /** ISO 8601. With a template it may be left out, and is not longer than the template's. */
  readonly duration?: string | undefined
  /** Who asks, in words; its DID is that of the signature. */
  readonly recipient: Omit<ConsentParty, 'id' | 'role'>
  readonly parties?: readonly ConsentParty[] | undefined
  /** Who is expected to decide for the subject. */
  readonly grantor?: { readonly capacity: ConsentGrantor['capacity'] } | undefined
}

/** What is asked for, wherever it stood. */
export interface ConsentTerms {
  readonly grants: readonly ConsentGrant[]
  readonly notice: OfferedNotice
  /** ISO 8601. */
  readonly duration: string
  readonly parties: readonly ConsentParty[]
}

const requestSchema: z.ZodType<ConsentRequest> = z
  .strictObject({
    subject: z.strictObject({ reference: text(256), type: z.enum(['person', 'child', 'org', 'device']) }),
    kind: z.enum(['personal', 'business']),
    template: z
      .string()
      .max(128 * 1024)
      .optional(),
    grants: grantsSchema.optional(),
    notice: z.strictObject({ version: text(100), text: noticeTexts, uri: webUrl.optional() }).optional(),
    duration: duration.optional(),
    recipient: z.strictObject(partyMembers),
    parties: otherParties.optional(),
    grantor: z.strictObject({ capacity: z.enum(['self', 'guardian', 'attorney', 'officer']) }).optional(),
  } satisfies Shape<ConsentRequest>)
  .check(({ value, issues }) => {
    for (const [name, message] of requestFaults(value)) {
      issues.push({ code: 'custom', input: value, path: [name], message })
    }
  })

function* requestFaults(request: ConsentRequest): Generator<readonly [name: string, message: string]> {
  const { template, kind, subject, grantor } = request
  const explicit = ['grants', 'notice', 'duration'] as const
  if (template === undefined) {
    for (const name of explicit) if (request[name] === undefined) yield [name, 'missing, and there is no template']
  } else {
    for (const name of ['grants', 'notice'] as const) {
      if (request[name] !== undefined) yield [name, 'stands in the template']
    }
  }
  if ((kind === 'business') !== (subject.type === 'org')) yield ['subject', 'does not fit `kind`']
  if (subject.type === 'child' && grantor?.capacity === 'self') yield ['grantor', 'a child is represented']
}

/** Reads the body. Throws `consent-request-invalid` with every fault in `errors`, by JSON pointer. Whether the holder
 *  has the products and fields is not judged here. */
export function parseConsentRequest(value: unknown): ConsentRequest {
  return parseAs(requestSchema, value, 'consent-request-invalid')
}

/** SHA-256 (base64url) of the canonical JSON of the request. */
export function requestHash(request: ConsentRequest): string {
  return sha256Text(canonicalJson(request), 'base64url')
}

/** The terms of a request, from itself or from its verified template. Throws `consent-request-invalid` when the two do
 *  not fit: another kind, or longer than the template says. */
export function requestTerms(request: ConsentRequest, template: ConsentTemplate | undefined): ConsentTerms {
  const { grants, notice, parties = [] } = request
  if (template === undefined) {
    if (grants === undefined || notice === undefined || request.duration === undefined) {
      throw refused('template', 'the template is not there')
    }
    return { grants, notice, duration: request.duration, parties }
  }
  if (template.kind !== request.kind) throw refused('kind', 'not the kind of the template')
  return {
    grants: template.grants,
    notice: { version: template.version, ...template.notice },
    duration: shorter(request.duration, template.duration),
    parties: [...(template.parties ?? []), ...parties],
  }
}

function shorter(asked: string | undefined, offered: string): string {
  if (asked === undefined || asked === offered) return offered
  const [inner, outer] = [parseDuration(asked), parseDuration(offered)]
  if (inner === undefined || outer === undefined || !isDurationWithin(inner, outer)) {
    throw refused('duration', 'longer than the template offers')
  }
  return asked
}

function refused(name: string, detail: string): Error {
  return faulty('consent-request-invalid', [{ pointer: `/${name}`, detail }])
}
