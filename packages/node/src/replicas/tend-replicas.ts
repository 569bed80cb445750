/** What has to be done about replicas without a call: remove what is over, hear from the holders how the consents stand,
 *  ask anew for what is due. Each round begins with what is over, whatever the network does. */
import { Problem } from '@comity/core/problems'
import type { ReplySink } from '../http/reply-stream.ts'
import { askPartner } from './ask-partner.ts'
import { openContent } from './kept-content.ts'
import { confirmedForMs, ruleFor } from './replica-rules.ts'
import type { ReplicasParts } from './replica-ports.ts'
import type { DueKey } from './replica-store.ts'
import type { Replica, ReplicaRule } from './replica.ts'
import { confirmReplica } from './use-replica.ts'

const perRound = 100
/** A partner that did not answer is asked again after so long. */
const pauseMs = 60_000

/** Gives the round; one that is asked for while another runs is that one. */
export function createTending(parts: ReplicasParts): () => Promise<void> {
  const kept: Kept = { pausedUntil: new Map(), heard: undefined, refreshed: new Map() }
  let running: Promise<void> | undefined
  return () => (running ??= round(parts, kept).finally(() => (running = undefined)))
}

/** What a round leaves to the next. */
interface Kept {
  /** Partners that did not answer, by DID. */
  readonly pausedUntil: Map<string, number>
  /** How far the list of unheard consents was gone through. What a round can do nothing for does not stand in the way
   *  of what is behind it: the next round goes on from there, and the one after the end begins anew. */
  heard: DueKey | undefined
  /** The same for each rule. */
  readonly refreshed: Map<ReplicaRule, DueKey | undefined>
}

async function round(parts: ReplicasParts, kept: Kept): Promise<void> {
  const { pausedUntil } = kept
  const nowMs = parts.clock.now()
  for (const [holder, untilMs] of pausedUntil) if (untilMs <= nowMs) pausedUntil.delete(holder)
  await guarded(parts, () => removeDue(parts, nowMs))
  await guarded(parts, () => endWithAgreements(parts))
  await guarded(parts, () => hear(parts, kept))
  await guarded(parts, () => refreshDue(parts, kept))
}

async function guarded({ onError }: ReplicasParts, work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => onError(error))
}

async function removeDue({ store, record, newId }: ReplicasParts, nowMs: number): Promise<void> {
  const removed = await store.countDue(nowMs)
  if (removed === 0) return
  const id = newId()
  const body = JSON.stringify({ type: 'replicas-removed', id, time: nowMs, reason: 'retention-over', removed })
  await record({ id, type: 'replicas-removed', timeMs: nowMs, body }, store.removeDue(nowMs))
}

/** What came under an agreement does not stay without it. */
async function endWithAgreements({ store, hasAgreement, execute, clock }: ReplicasParts): Promise<void> {
  const over = (await store.agreements()).filter((under) => !hasAgreement(under))
  if (over.length > 0) await execute(over.flatMap((under) => store.emptyUnder(under, clock.now())))
}

/** Half of the time before the last word is too old: there is time to try again. */
async function hear(parts: ReplicasParts, kept: Kept): Promise<void> {
  const { pausedUntil } = kept
  const beforeMs = parts.clock.now() - confirmedForMs / 2
  const page = await parts.store.findUnconfirmed({ beforeMs, after: kept.heard, limit: perRound })
  kept.heard = lastOf(page.map(({ held, sinceMs }) => ({ id: held, sinceMs })))
  for (const { held } of page) {
    const known = await parts.held.find(held)
    if (known?.state !== 'active' || pausedUntil.has(known.holder)) continue
    await tried(parts, { holder: known.holder, pausedUntil }, () => confirmReplica(parts, held))
  }
}

/** Where the next page begins; undefined, at the beginning, behind the last one. */
function lastOf(page: readonly DueKey[], limit = perRound): DueKey | undefined {
  return page.length < limit ? undefined : page.at(-1)
}

async function tried(
  { clock, onError }: ReplicasParts,
  { holder, pausedUntil }: { readonly holder: string; readonly pausedUntil: Map<string, number> },
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    pausedUntil.set(holder, clock.now() + pauseMs)
    if (!(error instanceof Problem)) onError(error)
  }
}

/** Every rule has its share of a round. */
async function refreshDue(parts: ReplicasParts, kept: Kept): Promise<void> {
  const scheduled = parts.rules.filter(({ everyMs }) => everyMs !== undefined)
  const limit = Math.ceil(perRound / Math.max(1, scheduled.length))
  for (const rule of scheduled) await refreshUnder(parts, rule, { kept, limit })
}

async function refreshUnder(
  parts: ReplicasParts,
  rule: ReplicaRule,
  { kept, limit }: { readonly kept: Kept; readonly limit: number },
): Promise<void> {
  const { store, clock, findPartner } = parts
  const { pausedUntil, refreshed } = kept
  const { product, operations, everyMs } = rule
  const holder = findPartner(rule.partner)?.did
  if (holder === undefined || everyMs === undefined || pausedUntil.has(holder)) return
  // Of two rules for one product the first counts.
  if (ruleFor(parts, { holder, product }) !== rule) return
  const due = { holder, product, operations, beforeMs: clock.now() - everyMs }
  const page = await store.findUnvalidated({ ...due, after: refreshed.get(rule), limit })
  refreshed.set(
    rule,
    lastOf(
      page.map(({ id, validatedMs }) => ({ id, sinceMs: validatedMs })),
      limit,
    ),
  )
  for (const replica of page) {
    if (pausedUntil.has(holder)) return
    await tried(parts, { holder, pausedUntil }, () => refresh(parts, replica, rule))
  }
}

/** Of a body that nobody reads: its sender is told so. */
const nowhere: ReplySink = {
  write: () => Promise.reject(new Problem('stream-cut', 'nobody reads the answer')),
  onGone: (listener) => listener(),
}

function ignoreProblem(error: unknown): void {
  if (!(error instanceof Problem)) throw error
}

/** As the application asked; throws when the partner did not answer. */
async function refresh(parts: ReplicasParts, replica: Replica, rule: ReplicaRule): Promise<void> {
  const content = await openContent(parts.vault, replica)
  if (content === undefined) return
  const { path, query, headers: fields } = content.request
  const headers = new Map(Object.entries(fields))
  const said = await askPartner(parts, {
    request: {
      method: 'GET',
      authority: '',
      path,
      query,
      headers,
      remoteAddress: '',
      clientKeyFingerprint: undefined,
      header: (name) => headers.get(name),
    },
    // What is too long to be kept is told by its coming as a stream.
    takesStream: true,
    asked: {
      id: replica.id,
      holder: replica.holder,
      product: replica.product,
      operations: rule.operations,
      consent: fields['comity-consent'],
      request: content.request,
    },
    replica,
    wantsOwn: false,
  })
  if (!('reply' in said)) return
  await said.reply.stream?.send(nowhere).catch(ignoreProblem)
  if (said.reply.status >= 500) {
    throw new Problem('partner-unreachable', 'the partner did not answer the refresh of a replica')
  }
}
