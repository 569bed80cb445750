/** Clients, keys and rotations as answers. */
import { apiKeyName } from '@comity/core/api-keys/api-key'
import type { KeyRotation } from '@comity/core/api-keys/key-rotation'
import { formatDateTime } from '@comity/core/agreement/date-time'
import type {
  ApiKeyView,
  BegunRotationView,
  ClientView,
  DisabledKeyView,
  IssuedKeyView,
  KeyRotationView,
  RevokedKeyView,
} from './client-api.ts'
import type {
  ApiKeyFacts,
  BegunRotationFacts,
  ClientFacts,
  DisabledKeyFacts,
  IssuedKeyFacts,
  RevokedKeyFacts,
} from './client-ports.ts'

const momentOf = (ms: number | undefined) => (ms === undefined ? undefined : formatDateTime(ms))

export function clientView({
  id,
  name,
  kind,
  owner,
  labels,
  participant,
  policies,
  createdMs,
  isCutOff,
}: ClientFacts): ClientView {
  const warnings = warningsOf(policies)
  const created = formatDateTime(createdMs)
  const told = warnings.length > 0 ? { warnings } : {}
  const cutOff = isCutOff === true ? { cutOff: true as const } : {}
  return { id, name, kind, owner, labels, participant, policies, created, ...cutOff, ...told }
}

function warningsOf({ rotateEveryDays, overlapDays, selfRenewal }: ClientView['policies']): string[] {
  if (rotateEveryDays === undefined) return []
  const isLonger = overlapDays > rotateEveryDays
  const longer =
    `old and new key both work for ${overlapDays} days, longer than the ${rotateEveryDays} after which keys are ` +
    'rotated: each rotation waits until the one before it has ended'
  return [...(isLonger ? [longer] : []), ...(selfRenewal ? [] : [handedOver])]
}

const handedOver =
  'its keys are rotated by themselves, but it may not fetch the next one: each rotation waits until you make it ' +
  '(`comity api-keys successor`) and hand it over'

export function apiKeyView(key: ApiKeyFacts): ApiKeyView {
  const { id, client, environment, use, scope, networks, owner, labels, sequence } = key
  const { state, reason, issuedBy, createdMs, notBeforeMs, expiresMs, endedMs, lastUse, rotation } = key
  const terms = { environment, use, scope, networks, owner, labels, sequence }
  return {
    id,
    name: apiKeyName(key),
    client,
    ...terms,
    notBefore: momentOf(notBeforeMs),
    expires: momentOf(expiresMs),
    lineEnds: momentOf(key.lineEndsMs),
    lifetimeDays: key.lifetimeDays,
    succeeds: key.succeeds,
    state,
    reason,
    ...(key.isCutOff && { cutOff: true as const }),
    issuedBy,
    created: formatDateTime(createdMs),
    ended: momentOf(endedMs),
    lastUsed: lastUse && { at: formatDateTime(lastUse.atMs), network: lastUse.network, uses: lastUse.uses },
    rotation,
  }
}

export function revokedKeyView({ key, alsoEnded, working }: RevokedKeyFacts): RevokedKeyView {
  return { ...apiKeyView(key), alsoEnded, working }
}

export function disabledKeyView({ key, claimed, working }: DisabledKeyFacts): DisabledKeyView {
  return { ...apiKeyView(key), claimed, working }
}

export function issuedKeyView({ key, text }: IssuedKeyFacts): IssuedKeyView {
  return { ...apiKeyView(key), key: text }
}

export function rotationView(rotation: KeyRotation): KeyRotationView {
  const { id, client, from, to, state, retire, quietSeconds } = rotation
  return {
    id,
    client,
    from,
    to,
    state,
    overlapFrom: formatDateTime(rotation.overlapFromMs),
    drainFrom: formatDateTime(rotation.drainFromMs),
    sunset: formatDateTime(rotation.sunsetMs),
    retire,
    quietSeconds,
    created: formatDateTime(rotation.createdMs),
    ended: momentOf(rotation.endedMs),
  }
}

export function begunRotationView({ rotation, successor }: BegunRotationFacts): BegunRotationView {
  return { rotation: rotationView(rotation), successor: successor && issuedKeyView(successor) }
}
