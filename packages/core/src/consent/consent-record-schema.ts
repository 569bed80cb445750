/** The shape of records and of the steps in a consent's life, and the rules within one of them. */
import { sha256Text } from '#crypto'
import { z } from 'zod'
import { proofSchema } from './consent-proof-schema.ts'
import {
  consentRecordSchemaIri,
  consentStates,
  type ConsentEvent,
  type ConsentGrantor,
  type ConsentNotice,
  type ConsentParty,
  type ConsentRecord,
} from './consent-record.ts'
import {
  country,
  didOrUrl,
  iri,
  languageTag,
  list,
  moment,
  momentMs,
  nameText,
  sha256Hash,
  text,
  uuidUrn,
  webUrl,
  type Shape,
} from './consent-texts.ts'
import { grantsSchema } from './parse-grants.ts'

/** Longest notice in one language, in characters. */
export const maxNoticeLength = 20_000

const contact = z.strictObject({
  email: nameText(320)
    .regex(/^[^\s@]+@[^\s@]+$/, 'not an address')
    .optional(),
  url: webUrl.optional(),
  phone: nameText(64).optional(),
})

/** The members of a party that say who it is. */
export const partyMembers = {
  name: nameText(500),
  country: country.optional(),
  address: text(1000).optional(),
  contact: contact.optional(),
  registry: text(200).optional(),
  registeredId: text(200).optional(),
} satisfies Partial<Shape<ConsentParty>>

const party = z.strictObject({
  id: didOrUrl,
  role: z.enum(['holder', 'recipient', 'processor', 'operator', 'thirdParty', 'authority', 'dpo']),
  ...partyMembers,
} satisfies Shape<ConsentParty>)

/** Parties beside holder and recipient, whom the record names from what is known of them. */
export const otherParties: z.ZodType<ConsentParty[]> = z
  .array(party)
  .max(30)
  .refine((parties) => parties.every(({ role }) => role !== 'holder' && role !== 'recipient'), {
    message: 'holder and recipient are not named here',
  })

const parties: z.ZodType<ConsentParty[]> = z
  .array(party)
  .max(32)
  .refine((all) => count(all, 'holder') === 1 && count(all, 'recipient') === 1, 'not one holder and one recipient')

const notice = z
  .strictObject({
    uri: webUrl.optional(),
    version: text(100),
    lang: languageTag,
    text: text(maxNoticeLength),
    hash: sha256Hash,
    presentedAt: moment,
  } satisfies Shape<ConsentNotice>)
  .refine((shown) => noticeHash(shown.text) === shown.hash, { message: 'not the hash of `text`', path: ['hash'] })

const grantor = z.strictObject({
  id: text(2048),
  capacity: z.enum(['self', 'guardian', 'attorney', 'officer']),
  evidence: list(z.strictObject({ kind: text(200), hash: sha256Hash }), 16).optional(),
} satisfies Shape<ConsentGrantor>)

const recordShape = {
  schema: z.literal(consentRecordSchemaIri),
  id: uuidUrn,
  rev: z.int().positive(),
  prev: sha256Hash.optional(),
  request: z.strictObject({ hash: sha256Hash }),
  template: z.strictObject({ id: iri, version: text(100), hash: sha256Hash }).optional(),
  kind: z.enum(['personal', 'business']),
  subject: z.strictObject({ id: text(200), type: z.enum(['person', 'child', 'org', 'device']) }),
  grantor,
  parties,
  notice,
  grants: grantsSchema,
  validity: z.strictObject({ notBefore: moment, expires: moment, reconfirmBy: moment.optional() }),
  revocation: z.strictObject({
    uri: webUrl.optional(),
    by: list(z.enum(['subject', 'grantor', 'holder', 'recipient']), 4),
    status: z.strictObject({ uri: webUrl, idx: z.int().nonnegative() }),
  }),
  rights: z.strictObject({ uri: webUrl.optional(), authority: text(500).optional() }).optional(),
  law: z.strictObject({ jurisdiction: text(100), applicable: list(text(500), 32).optional() }).optional(),
  createdAt: moment,
  proofs: z.array(proofSchema).max(8),
} satisfies Shape<ConsentRecord>

type Fault = readonly [path: readonly PropertyKey[], message: string]

/** One revision, with what its members must say about each other. */
export const recordSchema: z.ZodType<ConsentRecord> = z.strictObject(recordShape).check(({ value, issues }) => {
  for (const [path, message] of recordFaults(value)) {
    issues.push({ code: 'custom', input: value, path: [...path], message })
  }
})

function* recordFaults(record: ConsentRecord): Generator<Fault> {
  const { rev, prev, kind, subject, grantor: giver, validity, revocation } = record
  if ((rev === 1) !== (prev === undefined)) yield [['prev'], 'with every revision but the first']
  if ((kind === 'business') !== (subject.type === 'org')) yield [['subject', 'type'], 'does not fit `kind`']
  if ((giver.capacity === 'self') !== (giver.id === subject.id)) yield [['grantor', 'id'], 'does not fit `capacity`']
  if (!revocation.by.includes('subject') && !revocation.by.includes('grantor')) {
    yield [['revocation', 'by'], 'neither the subject nor who acts for it can end it']
  }
  const endMs = momentMs(validity.expires)
  if (endMs <= momentMs(validity.notBefore)) yield [['validity', 'expires'], 'not after `notBefore`']
  if (validity.reconfirmBy !== undefined && momentMs(validity.reconfirmBy) > endMs) {
    yield [['validity', 'reconfirmBy'], 'after `expires`']
  }
}

/** One step. */
export const eventSchema: z.ZodType<ConsentEvent> = z
  .strictObject({
    consent: uuidUrn,
    seq: z.int().positive(),
    at: moment,
    type: z.enum([
      'requested',
      'presented',
      'deferred',
      'refused',
      'granted',
      'amended',
      'paused',
      'resumed',
      'withdrawn',
      'revoked',
      'expired',
      'superseded',
    ]),
    state: z.enum(consentStates),
    rev: z.int().nonnegative().optional(),
    by: z.strictObject({
      id: text(2048),
      role: z.enum(['subject', 'grantor', 'holder', 'recipient', 'clock']),
    }),
    method: text(100),
    reason: z.strictObject({ code: text(100), text: text(2000).optional() }).optional(),
    prev: sha256Hash.optional(),
  } satisfies Shape<ConsentEvent>)
  .refine(({ seq, prev }) => (seq === 1) === (prev === undefined), {
    message: 'with every step but the first',
    path: ['prev'],
  })

/** SHA-256 (base64url) of a notice's UTF-8 bytes, exactly as written: no normalisation of any kind. */
export function noticeHash(noticeText: string): string {
  return sha256Text(noticeText, 'base64url')
}

function count(all: readonly { readonly role: string }[], role: string): number {
  return all.filter((one) => one.role === role).length
}
