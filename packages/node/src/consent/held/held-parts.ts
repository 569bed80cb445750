/** What the recipient's side of consent asks of the other parts of the node. */
import type { PublicJwk, SigningKey, VerifyingKey } from '@comity/core/crypto/crypto'
import type { Clock } from '@comity/core/ports'
import type { PartnerEndpoint } from '../../http/partner-client.ts'
import type { Statement } from '../../storage/database.ts'
import type { SubjectKey, SubjectVault } from '../../vault/vault.ts'
import type { ConsentSource } from './held-source.ts'
import type { HeldStore } from './held-store.ts'
import type { TokenKeeper } from './held-token-keeper.ts'

/** Writes an event of the log and the statements in one transaction; durable when it resolves. */
export type RecordEvent = (
  event: { readonly id: string; readonly type: string; readonly timeMs: number; readonly body: string },
  effects: readonly Statement[],
) => Promise<unknown>

export interface OutboxPort {
  /** With `subject` the payload is kept sealed; what a destroyed key sealed is not told any more. */
  statement(
    event: {
      readonly recipient: string
      readonly type: string
      readonly payload: Readonly<Record<string, unknown>>
      readonly occurredMs: number
    },
    subject?: SubjectKey,
  ): Statement
  /** Called once what was stated is durable. */
  wake(): void
}

/** Copies of answers that were received under a held consent. */
export interface KeptUnderConsent {
  /** They go with the consent. */
  remove(held: string): readonly Statement[]
  /** The consent allows something else now: what was received before does not stay. */
  empty(held: string): readonly Statement[]
}

export interface HeldParts {
  /** Own DID. */
  readonly did: string
  readonly clock: Clock
  readonly newId: () => string
  readonly store: HeldStore
  readonly vault: SubjectVault
  /** For what needs no entry in the log. */
  readonly execute: (statements: readonly Statement[]) => Promise<unknown>
  readonly record: RecordEvent
  readonly outbox: OutboxPort
  /** The own systems, which are told how consents stand. */
  readonly webhooks: {
    statement(event: {
      readonly type: 'consent.changed'
      readonly payload: Readonly<Record<string, unknown>>
      /** SQL condition: nobody is told where it does not hold when the message is written. */
      readonly condition: Statement
    }): readonly Statement[]
    /** Called once what was stated is durable. */
    wake(): void
  }
  /** What of the person's data this node keeps itself under a held consent; absent where it keeps none. */
  readonly kept?: KeptUnderConsent | undefined
  /** By alias or DID. */
  readonly findPartner: (aliasOrDid: string) => PartnerEndpoint | undefined
  readonly source: ConsentSource
  readonly keeper: TokenKeeper
  readonly resolveKey: (
    keyid: string,
    purpose: 'authentication' | 'assertionMethod',
    atMs?: number,
  ) => Promise<VerifyingKey>
  /** The key that signs now. */
  readonly authenticationKey: () => { readonly keyid: string; readonly key: SigningKey }
  /** A key that the participant's document lists for `authentication`. Throws `did-unresolvable`, `key-unknown`. */
  readonly authenticationKeyOf: (did: string) => Promise<PublicJwk>
  readonly skewSeconds: number
}

/** The log's entry about a held consent: ids and states, nothing of the person. */
export function recordStep(
  { newId, clock, record }: Pick<HeldParts, 'newId' | 'clock' | 'record'>,
  facts: { readonly type: string; readonly [fact: string]: unknown },
  effects: readonly Statement[],
): Promise<unknown> {
  const [id, timeMs] = [newId(), clock.now()]
  const { type, ...rest } = facts
  return record({ id, type, timeMs, body: JSON.stringify({ type, id, time: timeMs, ...rest }) }, effects)
}
