/** What is told of rotations. */
import type { KeyRotation } from '@comity/core/api-keys/key-rotation'
import { formatDateTime } from '@comity/core/agreement/date-time'
import type { KeyNotice } from './api-key-ports.ts'
import type { KeyIndex } from './key-index.ts'

/** Where and how a rotation that runs stands: also told again where its sunset has changed. */
export function standingNotice(index: KeyIndex, rotation: KeyRotation): KeyNotice {
  if (rotation.state === 'prepared') return preparedNotice(rotation)
  return movingNotice(index, rotation.state === 'draining' ? 'key.draining' : 'key.rotating', rotation)
}

export function movingNotice(index: KeyIndex, type: 'key.rotating' | 'key.draining', rotation: KeyRotation): KeyNotice {
  const { client, from, to, id, sunsetMs } = rotation
  const handedOver = isHandedOver(index, rotation)
  const reason = handedOver && to === undefined ? 'operator-hands-over' : undefined
  const facts = { client, key: from, rotation: id, successor: to, sunset: formatDateTime(sunsetMs), reason }
  return { type, ...facts, ...(handedOver && { handedOver: true }) }
}

/** Of one that should end and cannot; `reason` is a word. */
export function waitingNotice(index: KeyIndex, rotation: KeyRotation, reason: string | undefined): KeyNotice {
  const { client, from, to, id, sunsetMs } = rotation
  const facts = { client, key: from, rotation: id, successor: to, sunset: formatDateTime(sunsetMs), reason }
  return { type: 'key.waiting', ...facts, ...(isHandedOver(index, rotation) && { handedOver: true }) }
}

export function preparedNotice(rotation: KeyRotation): KeyNotice {
  const { client, from, to, id, sunsetMs, overlapFromMs } = rotation
  const times = { starts: formatDateTime(overlapFromMs), sunset: formatDateTime(sunsetMs) }
  return { type: 'key.prepared', client, key: from, rotation: id, successor: to, ...times }
}

export function rolledBackNotice({ client, from, to, id }: KeyRotation): KeyNotice {
  return { type: 'key.rolled-back', client, key: from, rotation: id, successor: to }
}

/** True where the client cannot fetch its next key: it may not, or the operator has made it. What is not written yet was
 *  claimed by nobody. */
export function isHandedOver({ clients, keys }: KeyIndex, { client, to }: KeyRotation): boolean {
  if (clients.get(client)?.policies.selfRenewal === false) return true
  return to !== undefined && keys.get(to)?.key.issuedBy !== 'client'
}
