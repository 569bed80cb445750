/** Consent templates: what an organisation offers again and again, versioned and signed by it. A compact JWS of type
 *  `comity-consent-template+jwt` whose `kid` is an assertion key of the issuer:
 *
 *      { "iss": "did:web:lab.example", "id": "urn:example:sports-medicine", "version": "3", "kind": "personal",
 *        "title": {"en": "Sports medicine"}, "notice": {"text": {"en": "…"}}, "grants": […], "duration": "P30D" } */
import { sha256Text } from '#crypto'
import { z } from 'zod'
import type { ResolveAssertionKey } from '../agreement/agreement-signature.ts'
import { canonicalJson } from '../bytes/canonical-json.ts'
import { parseJson } from '../bytes/json.ts'
import type { SigningKey } from '../crypto/crypto.ts'
import { didOfKeyId } from '../identity/did.ts'
import { parseCompactJws, signCompactJws, verifyCompactJws, type ParsedJws } from '../jws/compact.ts'
import { Problem } from '../problems.ts'
import { maxNoticeLength, otherParties } from './consent-record-schema.ts'
import type { ConsentGrant, ConsentParty, LocalisedText } from './consent-record.ts'
import { did, duration, iri, localised, nameText, parseAs, text, webUrl, type Shape } from './consent-texts.ts'
import { grantsSchema } from './parse-grants.ts'

/** `typ` of the header. */
export const consentTemplateType = 'comity-consent-template+jwt'
/** Longest signed template, in characters. */
export const maxTemplateLength = 128 * 1024

export interface ConsentTemplate {
  /** DID of the organisation that offers it. */
  readonly iss: string
  /** IRI; the same in all versions. */
  readonly id: string
  readonly version: string
  readonly kind: 'personal' | 'business'
  readonly title: LocalisedText
  readonly notice: { readonly text: LocalisedText; readonly uri?: string | undefined }
  readonly grants: readonly ConsentGrant[]
  /** Longest time, as an ISO 8601 duration. */
  readonly duration: string
  /** Beside holder and recipient. */
  readonly parties?: readonly ConsentParty[] | undefined
}

/** A signed template taken apart. Its signature is not proven before `verifyTemplate`. */
export interface SignedTemplate {
  readonly template: ConsentTemplate
  /** SHA-256 (base64url) of the canonical JSON of the template: one for each content, whoever signs and when. */
  readonly hash: string
  /** DID URL of the key, one of the issuer's. */
  readonly keyid: string
  readonly signedAtMs: number
}

/** Schema of a notice in several languages. */
export const noticeTexts = localised(text(maxNoticeLength))

const templateSchema: z.ZodType<ConsentTemplate> = z.strictObject({
  iss: did,
  id: iri,
  version: text(100),
  kind: z.enum(['personal', 'business']),
  title: localised(nameText(500)),
  notice: z.strictObject({ text: noticeTexts, uri: webUrl.optional() }),
  grants: grantsSchema,
  duration,
  parties: otherParties.optional(),
} satisfies Shape<ConsentTemplate>)

/** Signs a template. Throws `template-invalid` when it is malformed or the key is not the issuer's. */
export function signTemplate(
  template: ConsentTemplate,
  signer: { readonly keyid: string; readonly key: SigningKey },
  signedAtMs: number,
): string {
  const checked = parseAs(templateSchema, template, 'template-invalid')
  if (didOfKeyId(signer.keyid) !== checked.iss) throw invalid('the key is not one of the issuer')
  const header = { typ: consentTemplateType, kid: signer.keyid, iat: Math.floor(signedAtMs / 1000) }
  return signCompactJws({ key: signer.key, header, payload: canonicalJson(checked) })
}

/** Takes a signed template apart. Throws `template-invalid`, with `errors` where its members are at fault. */
export function parseTemplate(jws: string): SignedTemplate {
  return takeApart(jws).signed
}

/** The template, when its signature is that of a key of its issuer. Throws `template-invalid`, and what `resolveKey`
 *  throws when the key cannot be had. */
export async function verifyTemplate(jws: string, resolveKey: ResolveAssertionKey): Promise<SignedTemplate> {
  const { signed, parsed } = takeApart(jws)
  const key = await resolveKey(signed.keyid, signed.signedAtMs)
  refusing(() => verifyCompactJws(parsed, key))
  return signed
}

/** Hash of a template's content. */
export function templateHash(template: ConsentTemplate): string {
  return sha256Text(canonicalJson(template), 'base64url')
}

function takeApart(jws: string): { readonly signed: SignedTemplate; readonly parsed: ParsedJws } {
  const parsed = refusing(() => parseCompactJws(jws, { typ: consentTemplateType, maxLength: maxTemplateLength }))
  const value = refusing(() => parseJson(parsed.payloadText))
  const template = parseAs(templateSchema, value, 'template-invalid')
  const { kid = '', iat } = parsed.header
  if (refusing(() => didOfKeyId(kid)) !== template.iss) throw invalid('the key is not one of the issuer')
  if (typeof iat !== 'number' || !Number.isSafeInteger(iat) || iat < 0) throw invalid('`iat` is missing')
  return { signed: { template, hash: templateHash(template), keyid: kid, signedAtMs: iat * 1000 }, parsed }
}

function refusing<T>(step: () => T): T {
  try {
    return step()
  } catch (cause) {
    throw invalid(cause instanceof Problem ? cause.message : 'it cannot be read', cause)
  }
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('template-invalid', detail, { cause })
}
