/** Tells this node's own systems how a consent that it holds stands now, in the transaction that makes it so: ids and
 *  states, nothing of the person. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import type { Statement } from '../../storage/database.ts'
import type { HeldConsent } from './held-consent.ts'
import { recordStep, type HeldParts } from './held-parts.ts'

type Noticed = Pick<HeldConsent, 'id' | 'consent' | 'delegation' | 'holder' | 'source' | 'state' | 'rev' | 'seq'>

/** What has become of it; `before` is undefined for one that is new here. */
export interface HeldChange {
  readonly before: Pick<HeldConsent, 'state' | 'rev'> | undefined
  readonly after: Noticed
}

/** Statements of the webhook, to be written before those of the change: of two that tell of one change, the first one
 *  to be written tells it. None where neither state nor revision is another. */
export function noticeOfChange(
  { webhooks, clock, store }: Pick<HeldParts, 'webhooks' | 'clock' | 'store'>,
  { before, after }: HeldChange,
): readonly Statement[] {
  const { id, consent, delegation, holder, source, state, rev } = after
  if (before?.state === state && before.rev === rev) return []
  const side = delegation === undefined ? 'recipient' : 'delegate'
  const from = delegation === undefined ? {} : { from: source }
  const payload = { side, id, consent, holder, ...from, state, rev, at: formatDateTime(clock.now()) }
  const condition = before === undefined ? store.isMissing(id) : store.differsFrom(after)
  return webhooks.statement({ type: 'consent.changed', payload, condition })
}

/** The log's entry, the statements and the webhook, durable together when it resolves. */
export async function recordChange(
  parts: Pick<HeldParts, 'newId' | 'clock' | 'record' | 'webhooks' | 'store'>,
  facts: Parameters<typeof recordStep>[1],
  { effects, ...change }: HeldChange & { readonly effects: readonly Statement[] },
): Promise<void> {
  const notice = noticeOfChange(parts, change)
  await recordStep(parts, facts, [...notice, ...effects])
  if (notice.length > 0) parts.webhooks.wake()
}
