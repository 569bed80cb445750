/** What is done with single keys: issued, changed, disabled, enabled, retired when they expire. */
import { isDeepStrictEqual } from 'node:util'
import { capSunset } from '@comity/core/api-keys/key-rotation'
import { Problem } from '@comity/core/problems'
import { isLive, type ApiKeyRecord, type ChangedBy, type KeyChangeRequest, type KeyRequest } from './api-key-record.ts'
import type { ApiKeysParts } from './api-key-ports.ts'
import { clientOf } from './client-changes.ts'
import { endedKey, endedRotations, endNotice } from './end-key.ts'
import { endOf, makeKey, requestedTerms, stopped, type IssuedKey } from './issue-key.ts'
import { whyNot, type Judged } from './judge-key.ts'
import type { KeyChange, KeyChanges } from './key-changes.ts'
import { entryOf, type KeyEntry, type KeyIndex } from './key-index.ts'
import { canonicalNetwork } from './key-networks.ts'
import { createRevocations, type Revocations } from './revocations.ts'
import { standingNotice } from './rotation-notices.ts'

export interface Why {
  readonly by: ChangedBy
  readonly reason?: string | undefined
}

/** A key that is disabled, and what is not. */
export interface DisabledKey {
  readonly key: ApiKeyRecord
  /** Ids of the keys that were claimed with it, or with one that was, and work on. */
  readonly claimed: readonly string[]
  /** Ids of its client's keys that work now. */
  readonly working: readonly string[]
}

export interface KeyLife extends Revocations {
  /** Throws `client-unknown`, `malformed-request`. */
  issue(client: string, request: KeyRequest): Promise<IssuedKey>
  /** Also the successor that it has already, whose line it is, but for what was set of that alone. Throws `malformed-request` and `key-rotation-refused` for an
   *  end that cannot be, and what the others throw. */
  change(id: string, request: KeyChangeRequest): Promise<ApiKeyRecord>
  /** These throw `api-key-unknown`, `api-key-state` for a key that has ended. */
  disable(id: string, why: Why): Promise<DisabledKey>
  enable(id: string): Promise<ApiKeyRecord>
  /** For one that has expired. */
  retire(id: string): Promise<ApiKeyRecord>
  /** Announces that it expires. */
  warn(id: string): Promise<ApiKeyRecord>
}

type Parts = Pick<ApiKeysParts, 'clock' | 'randomBytes' | 'hashes' | 'environment' | 'store' | 'findPartner'> &
  Pick<Judged, 'isUsed'>

/** Throws `api-key-unknown`, `api-key-state`. */
function liveEntry(changes: KeyChanges, id: string): KeyEntry {
  const entry = entryOf(changes, id)
  const { state } = entry.key
  if (!isLive(entry.key)) throw new Problem('api-key-state', `the key is ${state}`, { members: { state } })
  return entry
}

export function createKeyLife(parts: Parts, changes: KeyChanges): KeyLife {
  const { clock } = parts
  const write = async (key: ApiKeyRecord, change: Omit<KeyChange, 'client' | 'key' | 'keys'>) => {
    await changes.commit({ ...change, client: key.client, key: key.id, keys: [key] })
    return key
  }
  return {
    ...createRevocations(parts, changes),
    issue: (clientId, request) =>
      changes.inTurn(async () => {
        const client = clientOf(changes, clientId)
        const now = { ...parts, clock: stopped(clock) }
        const terms = requestedTerms(now, request)
        const issued = makeKey({ ...now, index: changes.index }, client, { ...terms, by: 'operator' })
        await write(issued.record, { action: 'key-issue', by: 'operator' })
        return issued
      }),
    change: (id, request) =>
      changes.inTurn(async () => {
        const { key, keys, rotations, notices } = changed(changes.index, liveEntry(changes, id), {
          request,
          nowMs: clock.now(),
        })
        const { client } = key
        await changes.commit({ action: 'key-change', by: 'operator', client, key: id, keys, rotations, notices })
        return key
      }),
    disable: (id, { by, reason }) =>
      changes.inTurn(async () => {
        const { key } = liveEntry(changes, id)
        const notices = [{ type: 'key.disabled', client: key.client, key: id, reason } as const]
        const isDisabled = key.state === 'disabled'
        const disabled = isDisabled ? key : ({ ...key, state: 'disabled', reason } as const)
        if (!isDisabled) await write(disabled, { action: 'key-disable', by, reason, notices })
        return { key: disabled, ...goingOn({ ...parts, index: changes.index }, disabled, clock.now()) }
      }),
    enable: (id) =>
      changes.inTurn(async () => {
        const { key } = liveEntry(changes, id)
        if (key.state === 'active') return key
        const enabled = { ...key, state: 'active', reason: undefined, enabledMs: clock.now() } as const
        return write(enabled, { action: 'key-enable', by: 'operator' })
      }),
    retire: (id) =>
      changes.inTurn(async () => {
        const entry = liveEntry(changes, id)
        const key = endedKey(entry.key, { state: 'retired', reason: 'expired' }, clock.now())
        const rotations = endedRotations(entry, clock.now())
        const notices = [endNotice(key, rotations[0])]
        return write(key, { action: 'key-retire', by: 'policy', reason: 'expired', rotations, notices })
      }),
    warn: (id) =>
      changes.inTurn(async () => {
        const { key } = liveEntry(changes, id)
        const expires = key.expiresMs === undefined ? undefined : new Date(key.expiresMs).toISOString()
        const notices = [{ type: 'key.expiring', client: key.client, key: id, expires } as const]
        return write({ ...key, warnedMs: clock.now() }, { action: 'key-warn', by: 'policy', notices })
      }),
  }
}

function goingOn(
  judged: Judged & Pick<Parts, 'environment'>,
  { id, client }: ApiKeyRecord,
  nowMs: number,
): Omit<DisabledKey, 'key'> {
  const { index } = judged
  const works = (entry: KeyEntry) =>
    entry.key.environment === judged.environment && whyNot(judged, entry, nowMs) === undefined
  const idsOf = (entries: KeyEntry[]) => entries.filter(works).map(({ key }) => key.id)
  return { claimed: idsOf(index.claimedWith(id)), working: idsOf(index.keysOf(client)) }
}

interface Changing {
  readonly request: KeyChangeRequest
  readonly nowMs: number
}

/** The key, its successor where there is one already, and the rotation, whose end is told again where it comes earlier.
 *  Throws `malformed-request`, `key-rotation-refused`. */
function changed(index: KeyIndex, { key: former, leaves }: KeyEntry, { request, nowMs }: Changing) {
  const key = changedKey(former, request, { nowMs })
  if (leaves === undefined) return { key, keys: [key] }
  const isSame = key.expiresMs === former.expiresMs
  const rotation = isSame ? leaves : capSunset(leaves, key.expiresMs ?? Infinity)
  const successor = leaves.to === undefined ? undefined : index.keys.get(leaves.to)?.key
  const succeeds = successor !== undefined && isLive(successor)
  const since = { nowMs, beginsMs: leaves.overlapFromMs }
  const next = succeeds ? [changedKey(successor, passedOn(request, former, successor), since)] : []
  const isCapped = rotation !== leaves
  const notices = isCapped ? [standingNotice(index, rotation)] : []
  return { key, keys: [key, ...next], rotations: isCapped ? [rotation] : [], notices }
}

const membersOf = {
  scope: 'scope',
  networks: 'networks',
  owner: 'owner',
  labels: 'labels',
  expires: 'lineEndsMs',
  lifetimeDays: 'lifetimeDays',
} as const satisfies Record<keyof KeyChangeRequest, keyof ApiKeyRecord>

/** The entries of a change that the successor had from the old key: what was set of it alone stays. */
function passedOn(request: KeyChangeRequest, former: ApiKeyRecord, successor: ApiKeyRecord): KeyChangeRequest {
  const isShared = ([entry]: [string, unknown]) => {
    const member = membersOf[entry as keyof KeyChangeRequest]
    return isDeepStrictEqual(former[member], successor[member])
  }
  return Object.fromEntries(Object.entries(request).filter(isShared))
}

/** `beginsMs` is when its rotation lets a successor work. */
interface Since {
  readonly nowMs: number
  readonly beginsMs?: number
}

function changedKey(key: ApiKeyRecord, change: KeyChangeRequest, since: Since): ApiKeyRecord {
  const { scope, networks, owner, labels, expires, lifetimeDays } = change
  const isEndChanged = expires !== undefined || lifetimeDays !== undefined
  return {
    ...key,
    scope: scope ?? key.scope,
    networks: networks?.map(canonicalNetwork) ?? key.networks,
    owner: owner === undefined ? key.owner : (owner ?? undefined),
    labels: labels ?? key.labels,
    ...(isEndChanged && changedEnd(key, change, since)),
  }
}

/** The new end is announced anew. */
function changedEnd(key: ApiKeyRecord, { expires, lifetimeDays }: KeyChangeRequest, { nowMs, beginsMs = 0 }: Since) {
  const { createdMs, notBeforeMs = 0 } = key
  const line = {
    lineEndsMs: expires === undefined ? key.lineEndsMs : (expires ?? undefined),
    lifetimeDays: lifetimeDays === undefined ? key.lifetimeDays : (lifetimeDays ?? undefined),
  }
  const expiresMs = endOf(line, Math.max(createdMs, notBeforeMs, beginsMs))
  if (expiresMs !== undefined && expiresMs <= Math.max(nowMs, notBeforeMs)) {
    throw new Problem('malformed-request', 'the key must end in the future; to end it now, revoke it')
  }
  return { ...line, expiresMs, warnedMs: undefined }
}
