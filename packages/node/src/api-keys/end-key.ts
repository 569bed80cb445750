/** Keys that end, and what becomes of the rotations that they are in. */
import {
  beginOverlap,
  completeRotation,
  loseSuccessor,
  rollBackRotation,
  type KeyRotation,
} from '@comity/core/api-keys/key-rotation'
import { isLive, type ApiKeyRecord } from './api-key-record.ts'
import type { KeyNotice } from './api-key-ports.ts'
import type { KeyEntry, KeyIndex, Revocation } from './key-index.ts'

/** A key as it is when it has ended. */
export function endedKey(
  key: ApiKeyRecord,
  { state, reason }: { readonly state: 'revoked' | 'retired'; readonly reason: string },
  nowMs: number,
): ApiKeyRecord {
  return { ...key, state, reason, endedMs: nowMs }
}

/** What becomes of the rotations of a key that ends: one that it leaves is completed, since its successor takes its place
 *  at once, or rolled back where it has none; one whose successor it was goes on without, where the client claimed it and
 *  can claim another, and is rolled back where the operator made it. */
export function endedRotations(
  { key, leaves, joins }: Pick<KeyEntry, 'key' | 'leaves' | 'joins'>,
  nowMs: number,
): KeyRotation[] {
  const ended: KeyRotation[] = []
  if (leaves !== undefined)
    ended.push(leaves.to === undefined ? rollBackRotation(leaves, nowMs) : completed(leaves, nowMs))
  if (joins !== undefined) ended.push(key.issuedBy === 'client' ? loseSuccessor(joins) : rollBackRotation(joins, nowMs))
  return ended
}

/** What ends with a key that is revoked: itself, and all that was claimed with it unless that is kept. */
export interface Ending {
  readonly keys: readonly ApiKeyRecord[]
  readonly rotations: readonly KeyRotation[]
}

export function decideEnding(
  index: KeyIndex,
  { id, reason = 'revoked', keepClaimed = false }: Revocation & { readonly id: string },
  nowMs: number,
): Ending {
  const own = index.keys.get(id)
  const claimed = keepClaimed ? [] : index.claimedWith(id)
  const entries = own !== undefined && isLive(own.key) ? [own, ...claimed] : claimed
  const ids = new Set(entries.map(({ key }) => key.id))
  const reasonOf = (key: ApiKeyRecord) => (key.id === id ? reason : claimedWithRevoked)
  return {
    keys: entries.map(({ key }) => endedKey(key, { state: 'revoked', reason: reasonOf(key) }, nowMs)),
    rotations: entries.flatMap(({ key, leaves, joins }) => {
      // That of its old key, which ends too.
      const joined = joins === undefined || ids.has(joins.from) ? undefined : joins
      const isWhole = leaves?.to !== undefined && ids.has(leaves.to)
      if (!isWhole) return endedRotations({ key, leaves, joins: joined }, nowMs)
      return [rollBackRotation(leaves, nowMs), ...endedRotations({ key, leaves: undefined, joins: joined }, nowMs)]
    }),
  }
}

/** Why a key ended that was claimed with one that was revoked. */
export const claimedWithRevoked = 'claimed-with-revoked'

function completed(rotation: KeyRotation, nowMs: number): KeyRotation {
  const begun = rotation.state === 'prepared' ? beginOverlap(rotation, nowMs) : rotation
  return completeRotation(begun, nowMs)
}

/** What is told of a key that ended. */
export function endNotice({ state, client, id, reason }: ApiKeyRecord, rotation?: KeyRotation): KeyNotice {
  const type = state === 'revoked' ? 'key.revoked' : 'key.retired'
  const hasSuccessor = rotation?.to !== undefined && rotation.state !== 'rolled-back'
  return {
    type,
    client,
    key: id,
    reason,
    ...(rotation !== undefined && { rotation: rotation.id }),
    ...(hasSuccessor && { successor: rotation.to }),
  }
}
