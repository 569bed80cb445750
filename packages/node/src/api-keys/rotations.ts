/** Rotations: one key is succeeded by another while calls run. */
import {
  beginDraining,
  beginOverlap,
  completeRotation,
  nameSuccessor,
  prepareRotation,
  rollBackRotation,
  type KeyRotation,
  type RotationPlan,
} from '@comity/core/api-keys/key-rotation'
import { formatDateTime } from '@comity/core/agreement/date-time'
import { Problem } from '@comity/core/problems'
import { isLive, type ApiKeyRecord, type ChangedBy } from './api-key-record.ts'
import type { ApiKeysParts, KeyNotice } from './api-key-ports.ts'
import { clientOf } from './client-changes.ts'
import { endedKey, endNotice } from './end-key.ts'
import { makeKey, succeedingTerms, type IssuedKey } from './issue-key.ts'
import type { KeyChanges } from './key-changes.ts'
import type { KeyEntry } from './key-index.ts'
import { entryOf } from './key-life.ts'
import type { KeyUsage } from './key-usage.ts'
import { rotationPlan, type RotationRequest } from './rotation-request.ts'

/** A rotation that began, and the successor where it was made at once. */
export interface BegunRotation {
  readonly rotation: KeyRotation
  readonly successor: IssuedKey | undefined
}

export interface Rotations {
  /** Throws `api-key-unknown`, `key-rotation-refused` for a key that is not active or is being rotated already. */
  rotate(key: string, request: Partial<RotationRequest>, by: ChangedBy): Promise<BegunRotation>
  /** These throw `key-rotation-unknown`, `key-rotation-refused`. */
  begin(id: string, by: ChangedBy): Promise<KeyRotation>
  drain(id: string, by: ChangedBy): Promise<KeyRotation>
  complete(id: string, by: ChangedBy): Promise<KeyRotation>
  rollBack(id: string): Promise<KeyRotation>
  /** Another successor instead of one that nobody has used, or the first. */
  replaceSuccessor(
    id: string,
    by: ChangedBy,
  ): Promise<{ readonly rotation: KeyRotation; readonly successor: IssuedKey }>
  /** The same for the client itself, which presents the old key while both work. */
  renew(oldKey: string): Promise<{ readonly rotation: KeyRotation; readonly successor: IssuedKey }>
}

type Parts = Pick<ApiKeysParts, 'clock' | 'newId' | 'randomBytes' | 'hashes' | 'environment' | 'uses'>

interface Rotating extends Parts {
  readonly changes: KeyChanges
  readonly usage: KeyUsage
}

export function createRotations(parts: Rotating): Rotations {
  const { changes, clock } = parts
  const inTurn = <T>(id: string, work: (rotation: KeyRotation) => Promise<T>) =>
    changes.inTurn(async () => {
      const rotation = changes.index.rotations.get(id)
      if (rotation === undefined) throw notRunning()
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
        const notices = [rotatingNotice(begun)]
        return write(changes, begun, { action: 'rotation-begin', by, statements, notices })
      }),
    drain: (id, by) =>
      inTurn(id, (rotation) => write(changes, beginDraining(rotation), { action: 'rotation-drain', by })),
    complete: (id, by) => inTurn(id, (rotation) => complete(parts, rotation, by)),
    rollBack: (id) => inTurn(id, (rotation) => rollBack(parts, rotation)),
    replaceSuccessor: (id, by) => inTurn(id, (rotation) => replaceSuccessor(parts, rotation, by)),
    renew: (oldKey) => changes.inTurn(() => renew(parts, entryOf(changes, oldKey))),
  }
}

/** Ended ones are refused by name where they are known; this is for all others. */
export function notRunning(): Problem {
  return new Problem('key-rotation-unknown', 'there is no such rotation under way')
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
  if (key.state !== 'active' || isCutOff) throw refused('the key is not active')
  if (leaves !== undefined || joins !== undefined) throw refused('the key is in a rotation that has not ended')
  const client = clientOf(changes, key.client)
  const nowMs = clock.now()
  const plan = rotationPlan(request, { key, policies: client.policies }, nowMs)
  const successor = request.successor === 'claim' ? undefined : succeed(parts, key, { plan, by })
  const named = { id: newId(), client: client.id, from: key.id, to: successor?.record.id }
  const prepared = prepareRotation(named, plan, nowMs)
  const isNow = plan.overlapFromMs <= nowMs
  if (isNow) await usage.flush()
  const rotation = isNow ? beginOverlap(prepared, nowMs) : prepared
  const keys = successor === undefined ? [] : [successor.record]
  const begun = isNow ? { statements: [uses.mark(key.id)], notices: [rotatingNotice(rotation)] } : {}
  await write(changes, rotation, { action: 'rotation-prepare', by, keys, ...begun })
  return { rotation, successor }
}

/** A successor, with its own entry in no log yet. */
function succeed(
  parts: Rotating,
  key: ApiKeyRecord,
  { plan, by }: { readonly plan: Pick<RotationPlan, 'overlapFromMs'>; readonly by: ChangedBy },
): IssuedKey {
  const { changes, clock } = parts
  const terms = succeedingTerms(key, Math.max(plan.overlapFromMs, clock.now()))
  return makeKey({ ...parts, index: changes.index }, clientOf(changes, key.client), { ...terms, by })
}

async function complete({ changes, clock }: Rotating, rotation: KeyRotation, by: ChangedBy): Promise<KeyRotation> {
  const nowMs = clock.now()
  const completed = completeRotation(rotation, nowMs)
  const { key } = entryOf(changes, rotation.from)
  const retired = endedKey(key, { state: 'retired', reason: 'rotated' }, nowMs)
  const notices = [endNotice(retired, completed)]
  return write(changes, completed, { action: 'rotation-complete', by, keys: [retired], notices })
}

async function rollBack({ changes, clock }: Rotating, rotation: KeyRotation): Promise<KeyRotation> {
  const nowMs = clock.now()
  const back = rollBackRotation(rotation, nowMs)
  const entry = rotation.to === undefined ? undefined : entryOf(changes, rotation.to)
  const keys =
    entry !== undefined && isLive(entry.key)
      ? [endedKey(entry.key, { state: 'revoked', reason: 'rolled-back' }, nowMs)]
      : []
  const notices = keys.map((key) => endNotice(key))
  return write(changes, back, { action: 'rotation-roll-back', by: 'operator', keys, notices })
}

async function replaceSuccessor(parts: Rotating, rotation: KeyRotation, by: ChangedBy) {
  const { changes, usage, clock } = parts
  if (rotation.to !== undefined && usage.lastUse(rotation.to) !== undefined) {
    throw refused('the successor is in use already')
  }
  const { key } = entryOf(changes, rotation.from)
  const successor = succeed(parts, key, { plan: rotation, by })
  const unused = rotation.to === undefined ? undefined : entryOf(changes, rotation.to).key
  const replaced =
    unused !== undefined && isLive(unused)
      ? [endedKey(unused, { state: 'revoked', reason: 'replaced' }, clock.now())]
      : []
  const named = nameSuccessor(rotation, successor.record.id)
  const keys = [...replaced, successor.record]
  await write(changes, named, { action: 'rotation-claim', by, keys })
  return { rotation: named, successor }
}

async function renew(parts: Rotating, { key, leaves, isCutOff }: KeyEntry) {
  const { changes } = parts
  if (key.state !== 'active' || isCutOff) throw refused('the key is not active')
  if (leaves === undefined || leaves.state === 'prepared') throw refused('the key is not being rotated now')
  if (!clientOf(changes, key.client).policies.selfRenewal) {
    throw refused('the client does not get its keys itself: the operator hands them over')
  }
  return replaceSuccessor(parts, leaves, 'client')
}

function rotatingNotice({ client, from, to, id, sunsetMs }: KeyRotation): KeyNotice {
  return { type: 'key.rotating', client, key: from, rotation: id, successor: to, sunset: formatDateTime(sunsetMs) }
}

function refused(detail: string): Problem {
  return new Problem('key-rotation-refused', detail)
}
