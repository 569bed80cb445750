/** The admin API's answers about consents, version 1, and the types that the `comity` command reads them as. */
import { consentStates, type LocalisedText } from '@comity/core/consent/consent-record'
import { eventSchema, recordSchema } from '@comity/core/consent/consent-record-schema'
import { scopeSchema } from '@comity/core/consent/consent-scope-schema'
import { grantSchema } from '@comity/core/consent/parse-grants'
import type { ConsentTokenClaims } from '@comity/core/consent-token/consent-claims'
import { z } from 'zod'
import { did, documentOf, type View } from './shapes.ts'

const state = z.enum(consentStates)
const record = recordSchema.meta({ id: 'ConsentRecord' })
const step = eventSchema.meta({ id: 'ConsentStep' })
const scope = scopeSchema.meta({ id: 'ConsentScope' })
const grant = grantSchema.meta({ id: 'ConsentGrant' })
const localisedText: z.ZodType<LocalisedText> = z
  .record(z.string(), z.string())
  .meta({ description: 'By language (BCP 47).' })
/** ISO 8601. */
const time = z.string()

const consentFacts = {
  id: z.string(),
  state,
  recipient: did,
  rev: z.int().meta({ description: '0 while nothing was granted.' }),
  hash: z.string().optional(),
  notBefore: time.optional(),
  expires: time.optional(),
}

/** A consent that this node keeps as the holder. */
export const consentSchema = z.strictObject(consentFacts).meta({ id: 'Consent' })
export type ConsentView = View<typeof consentSchema>

/** `POST /v1/consents/{id}/decide`. */
export const decidedConsentSchema = z
  .strictObject({
    ...consentFacts,
    isUnchanged: z.literal(true).optional().meta({
      description: 'When exactly this was in force already: no revision was made, and tokens stay good.',
    }),
  })
  .meta({ id: 'DecidedConsent' })
export type DecidedConsentView = View<typeof decidedConsentSchema>

const requestSchema = z.strictObject({
  kind: z.enum(['personal', 'business']),
  notice: z.strictObject({ version: z.string(), text: localisedText, uri: z.string().optional() }),
  grants: z.array(grant),
  duration: z.string(),
  requested: time,
  lapses: time,
})

/** `GET /v1/consents/{id}`. */
export const consentDetailsSchema = z
  .strictObject({
    ...consentFacts,
    reference: z.string().optional().meta({
      description: 'The person as the holder’s systems know them; absent when they were erased.',
    }),
    request: requestSchema.optional(),
    records: z.array(record).meta({
      description: 'Revisions, oldest first; empty when the person was erased, as are the steps.',
    }),
    events: z.array(step),
    erased: z.literal(true).optional().meta({
      description: 'The person was erased: what described them cannot be read any more, and is left out.',
    }),
  })
  .meta({ id: 'ConsentDetails' })
export type ConsentDetailsView = View<typeof consentDetailsSchema>

/** One answer that left under a consent. */
export const consentUseSchema = z
  .strictObject({
    exchange: z.string().meta({ description: 'Id of the exchange, for `GET /v1/exchanges/{id}/evidence`.' }),
    at: time,
    caller: z.string().meta({ description: 'DID: the recipient, or a delegate of its.' }),
    product: z.string(),
    purpose: z.string().optional(),
    released: z.array(z.string()),
    withheld: z.array(z.string()),
  })
  .meta({ id: 'ConsentUse' })
export type ConsentUseView = View<typeof consentUseSchema>

/** A consent that this node was given or has asked for. */
export const heldConsentSchema = z
  .strictObject({
    id: z.string(),
    consent: z.string(),
    state,
    holder: did,
    source: did,
    delegation: z.string().optional(),
    rev: z.int(),
    hash: z.string().optional(),
    expires: time.optional(),
    lapses: time.optional(),
    label: z.string().optional().meta({ description: 'Absent once the person was erased, as is what follows.' }),
    reference: z.string().optional(),
    subject: z.string().optional(),
    grants: z.array(grant).optional(),
    record: record.optional(),
  })
  .meta({ id: 'HeldConsent' })
export type HeldConsentView = View<typeof heldConsentSchema>

/** `POST /v1/held-consents/{id}/token`. */
export const heldTokenSchema = z
  .strictObject({
    token: z.string().meta({ description: 'The chain as `Authorization` carries it behind the scheme.' }),
    expires: time,
    claims: z.array(documentOf<ConsentTokenClaims>('What one token says.')).meta({
      description: 'From the root to the own token.',
    }),
  })
  .meta({ id: 'HeldToken' })
export type HeldTokenView = View<typeof heldTokenSchema>

export const delegationSchema = z
  .strictObject({
    id: z.string(),
    consent: z.string(),
    holder: did,
    delegate: did,
    until: time,
    created: time,
    ended: time.optional(),
    endedBy: z.enum(['order', 'narrowing', 'consent']).optional().meta({
      description:
        '`order` of the operator, `narrowing` of the consent, which does not cover it any more, or the end of the `consent`.',
    }),
    grants: z.array(scope).optional().meta({ description: 'What is left of it.' }),
    dropped: z.array(z.string()).meta({
      description:
        'Grants of which a part was passed on, and which a narrowing of the consent has taken from it since.',
    }),
  })
  .meta({ id: 'Delegation' })
export type DelegationView = View<typeof delegationSchema>

export const templateSchema = z
  .strictObject({
    id: z.string(),
    version: z.string(),
    title: localisedText,
    hash: z.string(),
    signed: time,
    jws: z.string(),
  })
  .meta({ id: 'Template' })
export type TemplateView = View<typeof templateSchema>

export const subjectLinkSchema = z.strictObject({ url: z.string(), expires: time }).meta({ id: 'Link' })
export type SubjectLinkView = View<typeof subjectLinkSchema>

/** The same whether there is such a person or not. */
export const subjectResetSchema = z.strictObject({ reset: z.literal(true) })
export type SubjectResetView = View<typeof subjectResetSchema>

/** The same whether the person was erased or not. */
export const subjectReadmittedSchema = z.strictObject({ readmitted: z.literal(true) })
export type SubjectReadmittedView = View<typeof subjectReadmittedSchema>

/** `POST /v1/subjects/erase`. */
export const subjectErasedSchema = z
  .strictObject({
    ended: z.int().meta({ description: 'Consents that ended with it, as holder.' }),
    forgotten: z.int().meta({ description: 'Those of the person that this node held as recipient.' }),
  })
  .meta({ id: 'SubjectErased' })
export type SubjectErasedView = View<typeof subjectErasedSchema>
