/** The events that nodes tell each other: their URIs and what each carries. */
import { z } from 'zod'
import { consentStates } from '../consent/consent-record.ts'
import { dutyKinds } from '../duties/duty-receipt.ts'

/** One side ended an agreement. */
export const agreementTerminated = 'urn:comity:event:agreement-terminated'
/** An exchange began and a crash took away how it ended. */
export const exchangeUnknown = 'urn:comity:event:exchange-unknown'
/** The issuer's DID document has changed: read it again. */
export const keyRotated = 'urn:comity:event:key-rotated'

/** A time in milliseconds since the epoch, until the end of the year 9999: every such time can be written as a date. */
export const momentMs = z.int().min(0).max(253_402_300_799_999)

/** `{ "agreement": "urn:uuid:…", "hash": "…", "time": 1718000001234, "reason": "…" }` */
export const agreementTerminatedPayload = z.looseObject({
  agreement: z.string().max(200),
  /** SHA-256 of the canonical agreement, base64url. */
  hash: z.string().max(64),
  time: momentMs,
  reason: z.string().max(1000),
})

export type AgreementTerminatedPayload = z.infer<typeof agreementTerminatedPayload>

/** `{ "exchange": "0190…" }` */
export const exchangeUnknownPayload = z.looseObject({ exchange: z.string().max(200) })

export type ExchangeUnknownPayload = z.infer<typeof exchangeUnknownPayload>

/** A consent changed its state or its terms, or ended: tokens issued before count no more. */
export const consentChanged = 'urn:comity:event:consent-changed'
/** A recipient passed a part of a consent on. */
export const consentDelegated = 'urn:comity:event:consent-delegated'
/** A delegation ended before the consent did. */
export const delegationEnded = 'urn:comity:event:delegation-ended'
/** Data of a subject is to be deleted, or something else is owed; to be answered by `dutyReported`. */
export const dutyImposed = 'urn:comity:event:duty-imposed'
/** What was owed is done, or will not be: carries the signed receipt. */
export const dutyReported = 'urn:comity:event:duty-reported'

const shortText = z.string().min(1).max(2048)

/** `{ "consent": "urn:uuid:…", "state": "withdrawn", "rev": 1, "hash": "…", "time": 1718000001234, "seq": 4 }`: of two
 *  that arrive in the wrong order the greater `seq` counts. */
export const consentChangedPayload = z.looseObject({
  consent: shortText,
  holder: shortText,
  state: z.enum(consentStates),
  rev: z.int().nonnegative(),
  hash: z.string().max(64).optional(),
  seq: z.int().positive(),
  time: momentMs,
})
export type ConsentChangedPayload = z.infer<typeof consentChangedPayload>

/** `{ "consent": "urn:uuid:…", "holder": "did:…", "delegation": "…", "delegate": "did:…", "token": "<chain>",
 *  "until": 1718000001234 }`. To the delegate and to the holder. `token` is the chain at the time, which shows what was
 *  passed on. */
export const consentDelegatedPayload = z.looseObject({
  consent: shortText,
  holder: shortText,
  delegation: shortText,
  delegate: shortText,
  token: z.string().max(12_288),
  /** How long the delegator means to give tokens; its word alone. */
  until: momentMs.optional(),
})
export type ConsentDelegatedPayload = z.infer<typeof consentDelegatedPayload>

/** `{ "consent": "urn:uuid:…", "holder": "did:…", "delegation": "…", "delegate": "did:…" }` */
export const delegationEndedPayload = consentDelegatedPayload.omit({ token: true, until: true })
export type DelegationEndedPayload = z.infer<typeof delegationEndedPayload>

/** `{ "duty": "…", "kind": "delete", "consent": "urn:uuid:…", "holder": "did:…", "subject": "ps_…", "due": … }` */
export const dutyImposedPayload = z.looseObject({
  duty: shortText,
  kind: z.enum(dutyKinds),
  consent: shortText.optional(),
  holder: shortText,
  /** Pairwise towards the receiver of the duty, or towards the recipient whose delegate it is; never what the receiver's
   *  own systems call somebody. */
  subject: shortText.regex(/^ps_/),
  due: momentMs,
  /** For `rectify` the field paths that were put right: the values themselves are read anew under the consent. For
   *  `delete` and `anonymise` those that a narrowed consent gives no more; the whole consent's when absent. */
  fields: z.array(z.string().max(256)).max(256).optional(),
})
export type DutyImposedPayload = z.infer<typeof dutyImposedPayload>

/** `{ "duty": "…", "receipt": "<compact JWS>" }` */
export const dutyReportedPayload = z.looseObject({ duty: shortText, receipt: z.string().max(12_288) })
export type DutyReportedPayload = z.infer<typeof dutyReportedPayload>

/** A request for a higher quota was decided by the holder. */
export const quotaDecided = 'urn:comity:event:quota-decided'

/** `{ "request": "0190…", "limit": "monthly", "state": "granted", "units": 200000, "until": 1718000001234, "time": … }` */
export const quotaDecidedPayload = z.looseObject({
  request: z.string().max(200),
  limit: z.string().max(64),
  state: z.enum(['granted', 'refused', 'withdrawn']),
  /** Of a grant, and of one that was withdrawn: so many units, until before that time. */
  units: z.int().positive().optional(),
  until: momentMs.optional(),
  note: z.string().max(1000).optional(),
  /** Of two decisions about one request the later one counts. */
  time: momentMs,
})
export type QuotaDecidedPayload = z.infer<typeof quotaDecidedPayload>
