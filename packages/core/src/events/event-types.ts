/** The events that nodes tell each other: their URIs and what each carries. */
import { z } from 'zod'

/** One side ended an agreement. */
export const agreementTerminated = 'urn:comity:event:agreement-terminated'
/** An exchange began and a crash took away how it ended. */
export const exchangeUnknown = 'urn:comity:event:exchange-unknown'
/** The issuer's DID document has changed: read it again. */
export const keyRotated = 'urn:comity:event:key-rotated'

/** `{ "agreement": "urn:uuid:…", "hash": "…", "time": 1718000001234, "reason": "…" }` */
export const agreementTerminatedPayload = z.looseObject({
  agreement: z.string().max(200),
  /** SHA-256 of the canonical agreement, base64url. */
  hash: z.string().max(64),
  /** Milliseconds since the epoch. */
  time: z.int().nonnegative(),
  reason: z.string().max(1000),
})

export type AgreementTerminatedPayload = z.infer<typeof agreementTerminatedPayload>

/** `{ "exchange": "0190…" }` */
export const exchangeUnknownPayload = z.looseObject({ exchange: z.string().max(200) })

export type ExchangeUnknownPayload = z.infer<typeof exchangeUnknownPayload>
