/** Keys that end, and what becomes of the rotations that they are in. */
import { beginOverlap, completeRotation, rollBackRotation, type KeyRotation } from '@comity/core/api-keys/key-rotation'
import type { ApiKeyRecord } from './api-key-record.ts'
import type { KeyNotice } from './api-key-ports.ts'
import type { KeyEntry } from './key-index.ts'

/** A key as it is when it has ended. */
export function endedKey(
  key: ApiKeyRecord,
  { state, reason }: { readonly state: 'revoked' | 'retired'; readonly reason: string },
  nowMs: number,
): ApiKeyRecord {
  return { ...key, state, reason, endedMs: nowMs }
}

/** The rotations that end with the key: one that it leaves is completed, since its successor takes its place at once;
 *  one without a successor, and one that it was the successor of, is rolled back. */
export function endedRotations({ leaves, joins }: Pick<KeyEntry, 'leaves' | 'joins'>, nowMs: number): KeyRotation[] {
  const ended: KeyRotation[] = []
  if (leaves !== undefined)
    ended.push(leaves.to === undefined ? rollBackRotation(leaves, nowMs) : completed(leaves, nowMs))
  if (joins !== undefined) ended.push(rollBackRotation(joins, nowMs))
  return ended
}

function completed(rotation: KeyRotation, nowMs: number): KeyRotation {
  const begun = rotation.state === 'prepared' ? beginOverlap(rotation, nowMs) : rotation
  return completeRotation(begun, nowMs)
}

/** What is told of a key that ended. */
export function endNotice({ state, client, id, reason }: ApiKeyRecord, rotation?: KeyRotation): KeyNotice {
  const type = state === 'revoked' ? 'key.revoked' : 'key.retired'
  return {
    type,
    client,
    key: id,
    reason,
    ...(rotation !== undefined && { rotation: rotation.id, successor: rotation.to }),
  }
}
