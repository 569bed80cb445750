/** What is done with single keys: issued, changed, disabled, enabled, retired when they expire. */
import { Problem } from '@comity/core/problems'
import { isLive, type ApiKeyRecord, type ChangedBy, type KeyChangeRequest, type KeyRequest } from './api-key-record.ts'
import type { ApiKeysParts } from './api-key-ports.ts'
import { clientOf } from './client-changes.ts'
import { endedKey, endedRotations, endNotice } from './end-key.ts'
import { endOf, makeKey, requestedTerms, type IssuedKey } from './issue-key.ts'
import type { Judged } from './judge-key.ts'
import type { KeyChange, KeyChanges } from './key-changes.ts'
import { entryOf, type KeyEntry } from './key-index.ts'
import { canonicalNetwork } from './key-networks.ts'
import { createRevocations, type Revocations } from './revocations.ts'

export interface Why {
  readonly by: ChangedBy
  readonly reason?: string | undefined
}

export interface KeyLife extends Revocations {
  /** Throws `client-unknown`, `malformed-request`. */
  issue(client: string, request: KeyRequest): Promise<IssuedKey>
  /** These throw `api-key-unknown`, `api-key-state` for a key that has ended. */
  change(id: string, request: KeyChangeRequest): Promise<ApiKeyRecord>
  disable(id: string, why: Why): Promise<ApiKeyRecord>
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
        const terms = requestedTerms(parts, request)
        const issued = makeKey({ ...parts, index: changes.index }, client, { ...terms, by: 'operator' })
        await write(issued.record, { action: 'key-issue', by: 'operator' })
        return issued
      }),
    change: (id, request) =>
      changes.inTurn(() =>
        write(changedKey(liveEntry(changes, id).key, request, clock.now()), { action: 'key-change', by: 'operator' }),
      ),
    disable: (id, { by, reason }) =>
      changes.inTurn(async () => {
        const { key } = liveEntry(changes, id)
        if (key.state === 'disabled') return key
        const notices = [{ type: 'key.disabled', client: key.client, key: id, reason } as const]
        return write({ ...key, state: 'disabled', reason }, { action: 'key-disable', by, reason, notices })
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

function changedKey(key: ApiKeyRecord, change: KeyChangeRequest, nowMs: number): ApiKeyRecord {
  const { scope, networks, owner, labels, expires, lifetimeDays } = change
  const isEndChanged = expires !== undefined || lifetimeDays !== undefined
  return {
    ...key,
    scope: scope ?? key.scope,
    networks: networks?.map(canonicalNetwork) ?? key.networks,
    owner: owner === undefined ? key.owner : (owner ?? undefined),
    labels: labels ?? key.labels,
    ...(isEndChanged && changedEnd(key, change, nowMs)),
  }
}

/** The new end is announced anew. */
function changedEnd(key: ApiKeyRecord, { expires, lifetimeDays }: KeyChangeRequest, nowMs: number) {
  const { createdMs, notBeforeMs = 0 } = key
  const line = {
    lineEndsMs: expires === undefined ? key.lineEndsMs : (expires ?? undefined),
    lifetimeDays: lifetimeDays === undefined ? key.lifetimeDays : (lifetimeDays ?? undefined),
  }
  const expiresMs = endOf(line, Math.max(createdMs, notBeforeMs))
  if (expiresMs !== undefined && expiresMs <= Math.max(nowMs, notBeforeMs)) {
    throw new Problem('malformed-request', 'the key must end in the future; to end it now, revoke it')
  }
  return { ...line, expiresMs, warnedMs: undefined }
}
