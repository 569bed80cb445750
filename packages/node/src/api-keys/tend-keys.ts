/** What the node does with keys by itself: what is due of rotations, what the clients' policies ask for, alerts. */
import { decideRotation, isHeldUp, type RotationState } from '@comity/core/api-keys/key-rotation'
import { Problem } from '@comity/core/problems'
import { isLive, type ApiKeyRecord } from './api-key-record.ts'
import type { ApiKeysParts } from './api-key-ports.ts'
import type { ClientPolicies } from './client.ts'
import type { ClientChanges } from './client-changes.ts'
import { whyNot, whyNotSucceeded, type Judged } from './judge-key.ts'
import type { KeyChanges } from './key-changes.ts'
import type { KeyEntry } from './key-index.ts'
import type { KeyLife } from './key-life.ts'
import type { KeyUsage, UnusualUse } from './key-usage.ts'
import { waitingNotice } from './rotation-notices.ts'
import type { Rotations } from './rotations.ts'

const dayMs = 86_400_000
/** Policies speak of days. */
const policiesPeriodMs = 10_000
const prunePeriodMs = 3_600_000

export interface TendedKeys
  extends Pick<ApiKeysParts, 'clock' | 'onError' | 'findPartner' | 'store'>, Pick<Judged, 'isUsed'> {
  readonly changes: KeyChanges
  readonly clients: Pick<ClientChanges, 'writeRest'>
  readonly life: KeyLife
  readonly rotations: Rotations
  readonly usage: KeyUsage
}

/** To be called every second or so. Never rejects: what failed is told, and tried again. A call while one runs
 *  waits for that one. */
export function createKeyTending(parts: TendedKeys): () => Promise<void> {
  const { clock, usage, changes, onError } = parts
  const toldMs = new Map<string, number>()
  const last = { policiesMs: -Infinity, pruneMs: -Infinity }
  const isDue = (name: keyof typeof last, periodMs: number): boolean => {
    const nowMs = clock.now()
    // A clock that was set back is no reason to wait.
    if (nowMs >= last[name] && nowMs - last[name] < periodMs) return false
    last[name] = nowMs
    return true
  }
  const attempt = (work: () => Promise<unknown>) =>
    work().catch((error: unknown) => {
      if (!isOvertaken(error)) onError(error)
    })
  const tend = async (): Promise<void> => {
    await attempt(() => parts.life.writeRest())
    await attempt(() => parts.clients.writeRest())
    await attempt(() => usage.flush())
    for (const use of usage.takeUnusual()) await attempt(() => tellUnusual(parts, use))
    for (const id of changes.index.rotations.keys()) {
      await attempt(() => advance(parts, id))
      await attempt(() => tellWaiting(parts, id, toldMs))
    }
    for (const id of toldMs.keys()) if (!changes.index.rotations.has(id)) toldMs.delete(id)
    for (const id of expired(parts)) await attempt(() => parts.life.retire(id))
    if (isDue('policiesMs', policiesPeriodMs)) {
      for (const entry of changes.index.keys.values()) {
        const work = dueOf(parts, entry)
        if (work !== undefined) await attempt(work)
      }
    }
    if (isDue('pruneMs', prunePeriodMs)) {
      for (const id of changes.index.forget(clock.now())) usage.forget(id)
      await attempt(() => usage.prune(clock.now()))
    }
  }
  let running: Promise<void> | undefined
  return () => (running ??= tend().finally(() => (running = undefined)))
}

/** An operator or a client was quicker: there is nothing to do any more. */
function isOvertaken(error: unknown): boolean {
  const overtaken: readonly string[] = ['key-rotation-refused', 'key-rotation-unknown', 'api-key-state']
  return error instanceof Problem && overtaken.includes(error.code)
}

function expired({ changes, clock }: TendedKeys): string[] {
  const nowMs = clock.now()
  const ids: string[] = []
  for (const [id, { key }] of changes.index.keys) {
    if (key.expiresMs !== undefined && key.expiresMs <= nowMs && isLive(key)) ids.push(id)
  }
  return ids
}

/** As far as the rotation goes now: a node that did not run may be several states behind. */
async function advance(parts: TendedKeys, id: string): Promise<void> {
  for (let due = dueState(parts, id); due !== undefined; due = dueState(parts, id)) {
    await step(parts, id, due)
  }
}

function dueState(parts: TendedKeys, id: string): RotationState | undefined {
  const known = trafficOf(parts, id)
  return known && decideRotation(known.rotation, known.traffic)
}

function trafficOf(parts: TendedKeys, id: string) {
  const { changes, usage, clock } = parts
  const rotation = changes.index.rotations.get(id)
  if (rotation === undefined) return undefined
  const { from, to } = rotation
  const fromUsedMs = usage.lastUse(from)?.atMs
  const toUsedMs = to === undefined ? undefined : usage.lastUse(to)?.atMs
  const nowMs = clock.now()
  const reason = whyNotSucceeded({ ...parts, index: changes.index }, rotation, nowMs)
  return { rotation, reason, traffic: { nowMs, fromUsedMs, toUsedMs, isSucceeded: reason === undefined } }
}

async function step({ rotations }: TendedKeys, id: string, due: RotationState): Promise<void> {
  if (due === 'overlapping') await rotations.begin(id, 'policy')
  else if (due === 'draining') await rotations.drain(id, 'policy')
  else await rotations.complete(id, 'policy')
}

/** What a client's policies ask for one of its keys: one thing at a time. */
function dueOf(parts: TendedKeys, entry: KeyEntry) {
  const { changes, clock, life, rotations, usage } = parts
  const { key, leaves, joins } = entry
  const client = changes.index.clients.get(key.client)
  if (client === undefined || key.state !== 'active' || entry.isCutOff) return undefined
  const { rotateEveryDays, warnBeforeDays, disableUnusedAfterDays } = client.policies
  const nowMs = clock.now()
  const { expiresMs = Infinity, warnedMs, createdMs, notBeforeMs = 0, enabledMs = 0 } = key
  const sinceMs = Math.max(createdMs, notBeforeMs)
  // A successor waits for its client to move.
  if (disableUnusedAfterDays !== undefined && joins === undefined) {
    const usedMs = Math.max(sinceMs, enabledMs, usage.lastUse(key.id)?.atMs ?? 0)
    const isUnused = nowMs - usedMs >= disableUnusedAfterDays * dayMs
    if (isUnused) return () => life.disable(key.id, { by: 'policy', reason: 'unused' })
  }
  const isFree = leaves === undefined && joins === undefined
  if (isFree && rotateEveryDays !== undefined && nowMs >= rotatesFromMs(key, client.policies) && works(parts, entry)) {
    return async () => {
      // A roll-back is not undone by the next look at the same policy.
      const rolledBackMs = await lastRollBackMs(parts, key.id)
      if (nowMs - rolledBackMs < rotateEveryDays * dayMs) return
      await rotations.rotate(key.id, { successor: 'claim' }, 'policy')
    }
  }
  const isToBeWarned = warnedMs === undefined && warnBeforeDays > 0 && nowMs >= expiresMs - warnBeforeDays * dayMs
  return isToBeWarned ? () => life.warn(key.id) : undefined
}

/** When it is old, and for one that a successor outlives a whole overlap before it ends, or half its life where that is less. */
function rotatesFromMs(key: ApiKeyRecord, { rotateEveryDays = Infinity, overlapDays }: ClientPolicies): number {
  const sinceMs = Math.max(key.createdMs, key.notBeforeMs ?? 0)
  const oldMs = sinceMs + rotateEveryDays * dayMs
  const { expiresMs, lineEndsMs = Infinity } = key
  if (expiresMs === undefined || expiresMs >= lineEndsMs) return oldMs
  return Math.min(oldMs, Math.max(expiresMs - overlapDays * dayMs, (sinceMs + expiresMs) / 2))
}

/** When a rotation of the key was rolled back last. */
async function lastRollBackMs({ store }: TendedKeys, key: string): Promise<number> {
  const all = await store.listRotations({ key, limit: 1_000 })
  const back = all.filter(({ from, state }) => from === key && state === 'rolled-back')
  return Math.max(-Infinity, ...back.map(({ endedMs }) => endedMs ?? -Infinity))
}

function works(parts: TendedKeys, entry: KeyEntry): boolean {
  return whyNot({ ...parts, index: parts.changes.index }, entry, parts.clock.now()) === undefined
}

/** Tells the operator. It changes no key: who decides is the operator. */
async function tellUnusual({ changes }: TendedKeys, { key, reason }: UnusualUse): Promise<void> {
  const entry = changes.index.keys.get(key)
  if (entry === undefined) return
  const { client } = entry.key
  const notices = [{ type: 'key.unusual', client, key, reason } as const]
  await changes.inTurn(() => changes.commit({ action: 'key-unusual', by: 'policy', client, key, reason, notices }))
}

/** Tells once a day of rotations that cannot end, since no successor works, or nobody knows whether its client has it. */
async function tellWaiting(parts: TendedKeys, id: string, toldMs: Map<string, number>): Promise<void> {
  const { changes } = parts
  const known = trafficOf(parts, id)
  if (known === undefined || !isHeldUp(known.rotation, known.traffic)) return
  const { nowMs } = known.traffic
  const sinceMs = nowMs - (toldMs.get(id) ?? -Infinity)
  if (sinceMs >= 0 && sinceMs < dayMs) return
  const { rotation, reason } = known
  const facts = { client: rotation.client, key: rotation.from, rotation: id, reason }
  const notices = [waitingNotice(changes.index, rotation, reason)]
  await changes.inTurn(() => changes.commit({ action: 'rotation-wait', by: 'policy', ...facts, notices }))
  toldMs.set(id, nowMs)
}
