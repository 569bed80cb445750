/** Tells this node's own systems how a consent that it holds stands now, in the transaction that makes it so: ids and
 *  states, nothing of the person. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import type { Statement } from '../../storage/database.ts'
import { endedStates, type HeldConsent } from './held-consent.ts'
import { recordStep, type HeldParts, type KeptUnderConsent } from './held-parts.ts'

type Noticed = Pick<HeldConsent, 'id' | 'consent' | 'delegation' | 'holder' | 'source' | 'state' | 'rev' | 'seq'>

/** What has become of it; `before` is undefined for one that is new here. */
export interface HeldChange {
  readonly before: Pick<HeldConsent, 'state' | 'rev'> | undefined
  readonly after: Noticed
}

/** Statements of what goes with the change, and of the webhook, to be written before those of the change: of two that
 *  tell of one change, the first one to be written tells it. None where neither state nor revision is another. */
export function noticeOfChange(
  { webhooks, clock, store, kept }: Pick<HeldParts, 'webhooks' | 'clock' | 'store' | 'kept'>,
  { before, after }: HeldChange,
): readonly Statement[] {
  const { id, consent, delegation, holder, source, state, rev } = after
  if (before?.state === state && before.rev === rev) return []
  const goes = before === undefined || kept === undefined ? [] : goesWith(kept, { before, after })
  const side = delegation === undefined ? 'recipient' : 'delegate'
  const from = delegation === undefined ? {} : { from: source }
  const payload = { side, id, consent, holder, ...from, state, rev, at: formatDateTime(clock.now()) }
  const condition = before === undefined ? store.isMissing(id) : store.differsFrom(after)
  return [...goes, ...webhooks.statement({ type: 'consent.changed', payload, condition })]
}

/** What was received before the change: with its end all of it, with other terms what came under the old ones. While a
 *  consent is paused it stays, and is not used. A step that turns out not to count has taken away too much, which is
 *  fetched again. */
function goesWith(kept: KeptUnderConsent, { before, after }: HeldChange): readonly Statement[] {
  if (endedStates.includes(after.state)) return kept.remove(after.id)
  return before?.rev === after.rev ? [] : kept.empty(after.id)
}

/** The log's entry, the statements and the webhook, durable together when it resolves. */
export async function recordChange(
  parts: Pick<HeldParts, 'newId' | 'clock' | 'record' | 'webhooks' | 'store' | 'kept'>,
  facts: Parameters<typeof recordStep>[1],
  { effects, ...change }: HeldChange & { readonly effects: readonly Statement[] },
): Promise<void> {
  const notice = noticeOfChange(parts, change)
  await recordStep(parts, facts, [...notice, ...effects])
  if (notice.length > 0) parts.webhooks.wake()
}
