/** An agreement as people and the admin API see it: plain JSON values. */
import type { AgreementEnvelope } from '@comity/core/agreement/agreement-signature'
import type { AgreementTerms } from '@comity/core/agreement/agreement-policy'
import { formatDateTime } from '@comity/core/agreement/date-time'
import type { StoredAgreement, Termination } from './agreement-store.ts'

/** `pending`: signed, and not in force yet. With several permissions, `in-force` while one of them holds. */
export type AgreementState = 'pending' | 'in-force' | 'expired' | 'terminated'

export interface AgreementRecord {
  readonly id: string
  readonly state: AgreementState
  /** What this node is in it. */
  readonly role: 'holder' | 'recipient'
  /** DID of the other side. */
  readonly partner: string
  /** SHA-256 of the canonical agreement, base64url. */
  readonly hash: string
  readonly concludedAt: string
  readonly importedAt: string
  readonly permissions: readonly PermissionRecord[]
  /** Others that cover some of the same calls, while it can: such calls must name one. */
  readonly overlaps: readonly { readonly agreement: string; readonly products: readonly string[] }[]
  readonly termination?: { readonly by: string; readonly at: string; readonly reason: string }
}

export interface PermissionRecord {
  readonly products: readonly string[]
  /** All when absent. */
  readonly operations?: readonly string[]
  /** Any when absent. */
  readonly purposes?: readonly string[]
  readonly from?: string
  /** First moment at which it holds no longer. */
  readonly until?: string
}

/** The record and the document that proves it. */
export interface AgreementDetails extends AgreementRecord {
  readonly envelope: AgreementEnvelope
}

/** What the node knows of one agreement. */
export interface KnownAgreement {
  readonly stored: StoredAgreement
  readonly terms: AgreementTerms
  /** When it stopped counting here. */
  readonly terminatedMs: number | undefined
  readonly termination: Termination | undefined
  readonly overlaps: AgreementRecord['overlaps']
}

/** `did` is the node's own. */
export function recordOf(known: KnownAgreement, did: string, nowMs: number): AgreementRecord {
  const { stored, terms, termination, overlaps } = known
  const isHolder = terms.assigner === did
  return {
    id: terms.id,
    state: stateOf(known, nowMs),
    role: isHolder ? 'holder' : 'recipient',
    partner: isHolder ? terms.assignee : terms.assigner,
    hash: stored.hash,
    concludedAt: formatDateTime(terms.concludedMs),
    importedAt: formatDateTime(stored.importedMs),
    permissions: terms.permissions.map((permission) => ({
      products: [...permission.products],
      ...(permission.operations && { operations: [...permission.operations] }),
      ...(permission.purposes && { purposes: [...permission.purposes] }),
      ...(permission.fromMs !== undefined && { from: formatDateTime(permission.fromMs) }),
      ...(permission.untilMs !== undefined && { until: formatDateTime(permission.untilMs) }),
    })),
    overlaps,
    ...(termination && {
      termination: { by: termination.by, at: formatDateTime(termination.atMs), reason: termination.reason },
    }),
  }
}

function stateOf({ terms, terminatedMs }: KnownAgreement, nowMs: number): AgreementState {
  if (terminatedMs !== undefined) return 'terminated'
  const notOver = terms.permissions.filter(({ untilMs }) => untilMs === undefined || nowMs < untilMs)
  if (notOver.length === 0) return 'expired'
  return notOver.some(({ fromMs }) => fromMs === undefined || nowMs >= fromMs) ? 'in-force' : 'pending'
}
