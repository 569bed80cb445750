/** How changes of policies and relationships are written down: in the log, in the transaction that makes them. */
import type { Statement } from '../storage/database.ts'
import type { SubjectKey } from '../vault/vault.ts'

/** One change, as the log of admin changes has them. */
export interface PolicyChange {
  readonly action: 'policies-set' | 'relationship-add' | 'relationship-remove'
  /** Version of the set; the group, or the handle of the person. */
  readonly target: string
  /** Hashes of the sets, or of the relationship (SHA-256, base64url, of canonical JSON). */
  readonly before?: string | undefined
  readonly after?: string | undefined
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

/** Durable when it resolves, together with `effects`; sealed under the key of whom it is about. Throws `record-failed`;
 *  then nothing was changed. */
export type RecordPolicyChange = (
  change: PolicyChange,
  effects: readonly Statement[],
  subject?: SubjectKey,
) => Promise<void>
