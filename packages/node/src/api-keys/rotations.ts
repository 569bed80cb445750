/** Rotations: one key is succeeded by another while calls run. */
import {
  beginDraining,
  beginOverlap,
  completeRotation,
  prepareRotation,
  rollBackRotation,
  type KeyRotation,
} from '@comity/core/api-keys/key-rotation'
import { Problem } from '@comity/core/problems'
import { isLive, type ChangedBy } from './api-key-record.ts'
import type { ApiKeysParts } from './api-key-ports.ts'
import { clientOf } from './client-changes.ts'
import { endedKey, endNotice } from './end-key.ts'
import type { IssuedKey } from './issue-key.ts'
import type { KeyChanges } from './key-changes.ts'
import { entryOf, type KeyEntry } from './key-index.ts'
import { whyNoSuccessor, whyNotSucceeded, type Judged } from './judge-key.ts'
import { movingNotice, rolledBackNotice, standingNotice } from './rotation-notices.ts'
import { rotationPlan, type RotationRequest } from './rotation-request.ts'
import {
  claim,
  refuseClaim,
  refused,
  replaceSuccessor,
  succeed,
  type Succeeded,
  type Succeeding,
} from './successors.ts'

/** A rotation that began, and the successor where it was made at once. */
export interface BegunRotation {
  readonly rotation: KeyRotation
  readonly successor: IssuedKey | undefined
}

export interface Rotations {
  /** Throws `api-key-unknown`, `key-rotation-refused` for a key that is not active or is being rotated already. */
  rotate(key: string, request: Partial<RotationRequest>, by: ChangedBy): Promise<BegunRotation>
  /** These throw `key-rotation-unknown`, `key-rotation-refused` also for one that has ended. */
  begin(id: string, by: ChangedBy): Promise<KeyRotation>
  drain(id: string, by: ChangedBy): Promise<KeyRotation>
  complete(id: string, by: ChangedBy): Promise<KeyRotation>
  rollBack(id: string): Promise<KeyRotation>
  /** The operator makes a successor: the first, or another instead of one that nobody has used. */
  replaceSuccessor(id: string): Promise<Succeeded>
  /** For the client itself, with the old key while both work: the first successor, or the same again. `presented` is the
   *  old key, where it is no hmac key. */
  renew(oldKey: string, presented: string | undefined): Promise<Succeeded>
}

interface Rotating
  extends Succeeding, Pick<ApiKeysParts, 'newId' | 'uses' | 'store' | 'findPartner'>, Pick<Judged, 'isUsed'> {}

export function createRotations(parts: Rotating): Rotations {
  const { changes, clock } = parts
  const inTurn = <T>(id: string, work: (rotation: KeyRotation) => Promise<T>) =>
    changes.inTurn(async () => {
      const rotation = changes.index.rotations.get(id)
      if (rotation === undefined) throw await notRunning(parts, id)
      return work(rotation)
    })
  return {
    rotate: (key, request, by) => changes.inTurn(() => rotate(parts, entryOf(changes, key), { request, by })),
    begin: (id, by) =>
      inTurn(id, async (rotation) => {
        // What was counted is written, so that the uses of the overlap are told from those before.
        await parts.usage.flush()
        const begun = beginOverlap(rotation, clock.now())
        const statements = [parts.uses.mark(begun.from)]
        const notices = [movingNotice(changes.index, 'key.rotating', begun)]
        return write(changes, begun, { action: 'rotation-begin', by, statements, notices })
      }),
    drain: (id, by) =>
      inTurn(id, (rotation) => {
        const notices = [movingNotice(changes.index, 'key.draining', rotation)]
        return write(changes, beginDraining(rotation), { action: 'rotation-drain', by, notices })
      }),
    complete: (id, by) => inTurn(id, (rotation) => complete(parts, rotation, by)),
    rollBack: (id) => inTurn(id, (rotation) => rollBack(parts, rotation)),
    replaceSuccessor: (id) => inTurn(id, (rotation) => replaceSuccessor(parts, rotation)),
    renew: (oldKey, presented) => changes.inTurn(() => claim(parts, entryOf(changes, oldKey), presented)),
  }
}

async function notRunning({ store }: Rotating, id: string): Promise<Problem> {
  const ended = await store.findRotation(id)
  if (ended === undefined) return new Problem('key-rotation-unknown', 'there is no such rotation')
  return refused(`the rotation has ended: it is ${ended.state}; begin another`)
}

async function write(
  changes: KeyChanges,
  rotation: KeyRotation,
  change: Omit<Parameters<KeyChanges['commit']>[0], 'client' | 'rotation' | 'rotations'>,
): Promise<KeyRotation> {
  await changes.commit({
    key: rotation.from,
    ...change,
    client: rotation.client,
    rotation: rotation.id,
    rotations: [rotation],
  })
  return rotation
}

async function rotate(
  parts: Rotating,
  { key, leaves, joins, isCutOff }: KeyEntry,
  { request, by }: { readonly request: Partial<RotationRequest>; readonly by: ChangedBy },
): Promise<BegunRotation> {
  const { changes, clock, newId, usage, uses } = parts
  if (key.state !== 'active' || isCutOff) throw refused('the key is not active: only an active one is rotated')
  if (leaves !== undefined || joins !== undefined)
    throw refused('the key is in a rotation that has not ended: wait for its end, complete it or roll it back')
  const client = clientOf(changes, key.client)
  // One that a policy begins waits for the operator, who is told.
  if (request.successor === 'claim' && by === 'operator') refuseClaim(client)
  const nowMs = clock.now()
  const plan = rotationPlan(request, { key, policies: client.policies }, nowMs)
  const successor = request.successor === 'claim' ? undefined : succeed(parts, key, { plan, by })
  const named = { id: newId(), client: client.id, from: key.id, to: successor?.record.id }
  const prepared = prepareRotation(named, plan, nowMs)
  const isNow = plan.overlapFromMs <= nowMs
  if (isNow) await usage.flush()
  const rotation = isNow ? beginOverlap(prepared, nowMs) : prepared
  const keys = successor === undefined ? [] : [successor.record]
  const statements = isNow ? [uses.mark(key.id)] : []
  const notices = [standingNotice(changes.index, rotation)]
  await write(changes, rotation, { action: 'rotation-prepare', by, keys, statements, notices })
  return { rotation, successor }
}

async function complete(parts: Rotating, rotation: KeyRotation, by: ChangedBy): Promise<KeyRotation> {
  const { changes, clock, usage } = parts
  const judged = { ...parts, index: changes.index }
  const nowMs = clock.now()
  const completed = completeRotation(rotation, nowMs)
  const missing = whyNoSuccessor(judged, rotation, nowMs)
  if (missing !== undefined)
    throw refused(`the client would be left without a key, for its successor: ${missing.message}`)
  // An operator may know that the client has it.
  if (by !== 'operator' && whyNotSucceeded(judged, rotation, nowMs) !== undefined)
    throw refused('nobody has used the successor: its client may not have it')
  const { key } = entryOf(changes, rotation.from)
  const retired = endedKey(key, { state: 'retired', reason: 'rotated' }, nowMs)
  const notices = [endNotice(retired, completed)]
  const successor = entryOf(changes, completed.to ?? '').key
  // It is not unused for as long as it only waited.
  const waited = usage.lastUse(successor.id) === undefined ? [{ ...successor, enabledMs: nowMs }] : []
  return write(changes, completed, { action: 'rotation-complete', by, keys: [retired, ...waited], notices })
}

async function rollBack({ changes, clock }: Rotating, rotation: KeyRotation): Promise<KeyRotation> {
  const nowMs = clock.now()
  const back = rollBackRotation(rotation, nowMs)
  const entry = rotation.to === undefined ? undefined : entryOf(changes, rotation.to)
  const keys =
    entry !== undefined && isLive(entry.key)
      ? [endedKey(entry.key, { state: 'revoked', reason: 'rolled-back' }, nowMs)]
      : []
  const notices = [...keys.map((key) => endNotice(key)), rolledBackNotice(back)]
  return write(changes, back, { action: 'rotation-roll-back', by: 'operator', keys, notices })
}
