/** What may be kept, for how long, and when what is kept may be used: pure decisions over facts. */
import type { ConsentScope } from '@comity/core/consent/consent-scope'
import { addDuration, parseDuration } from '@comity/core/consent/durations'
import { isPurposeWithin } from '@comity/core/consent/purposes'
import type { Replica, ReplicaReason, ReplicaRule } from './replica.ts'

/** Longest time for which a node serves replicas without the holder's word that the consent stands: as long as a consent
 *  token lives, so that a replica is never good for longer than a token would be. */
export const confirmedForMs = 5 * 60_000

/** Largest answer that is kept, in bytes. */
export const maxReplicaBytes = 4 * 1024 * 1024

/** How a consent stands that an answer was received under. */
export interface ConsentFacts {
  readonly state: string
  readonly hash: string | undefined
  readonly expiresMs: number | undefined
}

export interface StoreQuestion {
  readonly status: number
  readonly bytes: number
  readonly cacheControl: string | undefined
  readonly product: string
  readonly purpose: string | undefined
  /** What the consent grants; undefined for an answer about nobody. */
  readonly consent: (ConsentFacts & { readonly scopes: readonly ConsentScope[] }) | undefined
  readonly nowMs: number
}

export type StoreVerdict =
  | { readonly allowed: true; readonly untilMs: number | undefined }
  | { readonly allowed: false; readonly reason: ReplicaReason }

const refuse = (reason: ReplicaReason) => ({ allowed: false, reason }) as const

/** A person's answer is kept where every grant that may have covered the call says `store` (one that names no mode does
 *  not); any other under the agreement, whose `use` (ODRL) includes it. What the holder marks `no-store` never is. */
export function decideStore(question: StoreQuestion): StoreVerdict {
  const { status, bytes, cacheControl = '', consent, nowMs } = question
  if (status !== 200 && status !== 304) return refuse('not-an-answer')
  if (bytes > maxReplicaBytes) return refuse('too-large')
  if (/(?:^|[\s,])no-store(?:$|[\s,])/i.test(cacheControl)) return refuse('no-store')
  if (consent === undefined) return { allowed: true, untilMs: undefined }
  const inactive = judgeConsent(consent, { hash: consent.hash, nowMs })
  if (inactive !== undefined) return refuse(inactive)
  const scopes = scopesOfCall(consent.scopes, question)
  if (scopes.length === 0 || !scopes.every(({ modes }) => modes?.includes('store') === true)) {
    return refuse('mode-not-granted')
  }
  const untilMs = endOfRetention(scopes, { nowMs, expiresMs: consent.expiresMs })
  return untilMs <= nowMs ? refuse('retention-over') : { allowed: true, untilMs }
}

/** The grants that may have covered the call. */
function scopesOfCall(
  scopes: readonly ConsentScope[],
  { product, purpose }: Pick<StoreQuestion, 'product' | 'purpose'>,
): readonly ConsentScope[] {
  return scopes.filter(
    ({ effect, products, purposes }) =>
      effect === 'permit' &&
      products.includes(product) &&
      (purpose === undefined || isPurposeWithin(purpose, purposes)),
  )
}

/** The earliest of what each grant says, and of the consent's end. */
function endOfRetention(
  scopes: readonly ConsentScope[],
  { nowMs, expiresMs }: { readonly nowMs: number; readonly expiresMs: number | undefined },
): number {
  const ends = scopes.flatMap(({ retention }) => {
    const duration = retention?.for === undefined ? undefined : parseDuration(retention.for)
    return [
      ...(duration === undefined ? [] : [addDuration(nowMs, duration)]),
      ...(retention?.until === undefined ? [] : [Date.parse(retention.until)]),
    ]
  })
  return Math.min(expiresMs ?? nowMs, ...ends)
}

export interface UseQuestion {
  readonly replica: Replica
  /** Undefined for an answer about nobody. */
  readonly consent: ConsentFacts | undefined
  /** Whether the agreement stands that it was received under. */
  readonly hasAgreement: boolean
  readonly maxAgeMs: number
  readonly nowMs: number
}

export type UseVerdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: ReplicaReason }

/** Fails closed: a consent that is not known to be active, or of which nothing was heard for too long, allows nothing. */
export function decideUse({ replica, consent, hasAgreement, maxAgeMs, nowMs }: UseQuestion): UseVerdict {
  if (replica.sealed === '') return refuse('emptied')
  if (replica.untilMs !== undefined && replica.untilMs <= nowMs) return refuse('retention-over')
  if (!hasAgreement) return refuse('agreement-ended')
  if (replica.held !== undefined) {
    const broken = judgeConsent(consent, { hash: replica.consentHash, nowMs })
    if (broken !== undefined) return refuse(broken)
    if (!isWithin(replica.confirmedMs, confirmedForMs, nowMs)) return refuse('unconfirmed')
  }
  return isWithin(replica.validatedMs, maxAgeMs, nowMs) ? { allowed: true } : refuse('stale')
}

/** A moment that is still to come says that the clock was set: nothing is known of its age. */
function isWithin(atMs: number, forMs: number, nowMs: number): boolean {
  return atMs <= nowMs && nowMs - atMs <= forMs
}

function judgeConsent(
  consent: ConsentFacts | undefined,
  { hash, nowMs }: { readonly hash: string | undefined; readonly nowMs: number },
): ReplicaReason | undefined {
  if (consent?.state !== 'active') return 'consent-inactive'
  if (consent.expiresMs === undefined || consent.expiresMs <= nowMs) return 'consent-inactive'
  return consent.hash === hash ? undefined : 'consent-changed'
}

/** The rule that keeps answers of a partner's product, the first that names it. */
export function ruleFor(
  {
    rules,
    findPartner,
  }: {
    readonly rules: readonly ReplicaRule[]
    readonly findPartner: (aliasOrDid: string) => { readonly did: string } | undefined
  },
  called: { readonly holder: string; readonly product: string },
): ReplicaRule | undefined {
  return rules.find(({ partner, product }) => product === called.product && findPartner(partner)?.did === called.holder)
}
