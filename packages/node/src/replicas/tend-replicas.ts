/** What has to be done about replicas without a call: remove what is over, hear from the holders how the consents stand,
 *  ask anew for what is due. Each round begins with what is over, whatever the network does. */
import { Problem } from '@comity/core/problems'
import { askPartner } from './ask-partner.ts'
import { openContent } from './kept-content.ts'
import { confirmedForMs } from './replica-rules.ts'
import type { ReplicasParts } from './replica-ports.ts'
import type { Replica, ReplicaRule } from './replica.ts'
import { confirmReplica } from './use-replica.ts'

const perRound = 100
/** A partner that did not answer is asked again after so long. */
const pauseMs = 60_000

/** Gives the round; one that is asked for while another runs is that one. */
export function createTending(parts: ReplicasParts): () => Promise<void> {
  const pausedUntil = new Map<string, number>()
  let running: Promise<void> | undefined
  return () => (running ??= round(parts, pausedUntil).finally(() => (running = undefined)))
}

async function round(parts: ReplicasParts, pausedUntil: Map<string, number>): Promise<void> {
  const nowMs = parts.clock.now()
  for (const [holder, untilMs] of pausedUntil) if (untilMs <= nowMs) pausedUntil.delete(holder)
  await guarded(parts, () => removeDue(parts, nowMs))
  await guarded(parts, () => endWithAgreements(parts))
  await guarded(parts, () => hear(parts, pausedUntil))
  await guarded(parts, () => refreshDue(parts, pausedUntil))
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
async function hear(parts: ReplicasParts, pausedUntil: Map<string, number>): Promise<void> {
  const nowMs = parts.clock.now()
  for (const held of await parts.store.findUnconfirmed(nowMs - confirmedForMs / 2, perRound)) {
    const known = await parts.held.find(held)
    if (known?.state !== 'active' || pausedUntil.has(known.holder)) continue
    await tried(parts, { holder: known.holder, pausedUntil }, () => confirmReplica(parts, held))
  }
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

async function refreshDue(parts: ReplicasParts, pausedUntil: Map<string, number>): Promise<void> {
  const { rules, findPartner, store, clock } = parts
  const nowMs = clock.now()
  const shortestMs = Math.min(...rules.flatMap(({ everyMs }) => everyMs ?? []))
  if (!Number.isFinite(shortestMs)) return
  for (const replica of await store.findUnvalidated(nowMs - shortestMs, perRound)) {
    const { holder, product, operation = '' } = replica
    const rule = rules.find((one) => one.product === product && findPartner(one.partner)?.did === holder)
    if (rule?.operations?.includes(operation) === false || !isDue(rule, replica, nowMs)) continue
    if (pausedUntil.has(holder)) continue
    await tried(parts, { holder, pausedUntil }, () => refresh(parts, replica, rule))
  }
}

function isDue(rule: ReplicaRule | undefined, { validatedMs }: Replica, nowMs: number): boolean {
  return rule?.everyMs !== undefined && nowMs - validatedMs >= rule.everyMs
}

/** As the application asked; throws when the partner did not answer. */
async function refresh(parts: ReplicasParts, replica: Replica, rule: ReplicaRule | undefined): Promise<void> {
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
    takesStream: false,
    asked: {
      id: replica.id,
      holder: replica.holder,
      product: replica.product,
      operations: rule?.operations,
      consent: fields['comity-consent'],
      request: content.request,
    },
    replica,
    wantsOwn: false,
  })
  if ('reply' in said && said.reply.status >= 500) {
    throw new Problem('partner-unreachable', 'the partner did not answer the refresh of a replica')
  }
}
