/** A request for a higher quota: asked by who meets the limit, decided by the operator who set it. */
import { withoutKeySecrets } from '@comity/core/api-keys/named-key'
import { quotaPeriods, type QuotaPer } from '@comity/core/limits/quota'
import { z } from 'zod'

export const quotaRequestStates = ['asked', 'granted', 'refused', 'withdrawn'] as const
export type QuotaRequestState = (typeof quotaRequestStates)[number]

/** The most that may be asked for, and granted. */
const maxUnits = 1_000_000_000_000

/** The body of `POST /limits/requests`. */
export const quotaWishSchema = z.strictObject({
  /** As the field `RateLimit-Policy` names it. */
  limit: z.string().min(1).max(64),
  product: z.string().min(1).max(200).optional(),
  units: z.int().min(1).max(maxUnits),
  per: z.enum(quotaPeriods),
  reason: z.string().trim().min(1).max(1_000).overwrite(withoutKeySecrets),
})
export type QuotaWish = Readonly<z.infer<typeof quotaWishSchema>>

/** Who asks; empty texts for what it is not. */
export interface QuotaAsker {
  /** DID. */
  readonly participant: string
  /** Id of the client whose API key it came with, and that key's id. */
  readonly client: string
  readonly key: string
}

/** What was decided. Times are milliseconds since the epoch. */
export interface QuotaDecision {
  /** `withdrawn`: granted once, and ended before its time. */
  readonly state: 'granted' | 'refused' | 'withdrawn'
  /** A later decision has a later time. */
  readonly decidedMs: number
  /** Of one that was granted: so many units, until before then. */
  readonly units: number | undefined
  readonly untilMs: number | undefined
  /** For the asker to read. */
  readonly note: string | undefined
}

export interface AskedQuota {
  readonly id: string
  readonly limit: string
  /** Empty for all products. */
  readonly product: string
  readonly units: number
  readonly per: QuotaPer
  readonly reason: string
  readonly askedMs: number
  /** Undefined while it is open. */
  readonly decision: QuotaDecision | undefined
}

/** At the holder. */
export interface QuotaRequest extends AskedQuota {
  readonly asker: QuotaAsker
}

/** At the node of who asked. */
export interface QuotaAsk extends AskedQuota {
  /** DID of the holder. */
  readonly partner: string
}
