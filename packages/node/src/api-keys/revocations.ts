/** Revocations. One counts from the moment it is asked for, before anything is waited for or written, for the key and for
 *  all that was claimed with it; it is tried again until it is durable. */
import { Problem } from '@comity/core/problems'
import { isLive, type ApiKeyRecord } from './api-key-record.ts'
import type { ApiKeysParts, KeyNotice } from './api-key-ports.ts'
import { decideEnding, endNotice, type Ending } from './end-key.ts'
import { whyNot, type Judged } from './judge-key.ts'
import type { KeyChanges } from './key-changes.ts'
import { entryOf, unknownKey, type KeyIndex, type Revocation } from './key-index.ts'

/** What a revocation did. */
export interface RevokedKey {
  readonly key: ApiKeyRecord
  /** Ids of the keys that ended with it, since they were claimed with it. */
  readonly alsoEnded: readonly string[]
  /** Ids of its client's keys that work now. */
  readonly working: readonly string[]
}

export interface Revocations {
  /** Refuses the key from this moment on, to be followed by `revoke`; what it gives takes that back. Throws
   *  `api-key-unknown`. */
  cutOff(id: string, revocation: Revocation): () => void
  /** Refused from this moment on, also while it is not durable; again for one that is revoked ends what was claimed with it
   *  and was kept. Throws `api-key-unknown`, `api-key-state` for one that was retired and with which nothing was claimed
   *  that works, `record-failed` after which it is tried again by `writeRest`. */
  revoke(id: string, revocation: Revocation): Promise<RevokedKey>
  /** Writes what could not be written. Throws `record-failed`. */
  writeRest(): Promise<void>
}

type Parts = Pick<ApiKeysParts, 'clock' | 'store' | 'findPartner' | 'environment'> & Pick<Judged, 'isUsed'>

/** Of its client's keys so many are named to the operator's systems. */
const maxTold = 100

export function createRevocations(parts: Parts, changes: KeyChanges): Revocations {
  const { index } = changes
  const revoke: Revocations['revoke'] = (id, revocation) => {
    cutOff(index, id, revocation)
    return changes.inTurn(() => write(parts, changes, { id, revocation }))
  }
  return {
    cutOff: (id, revocation) => cutOff(index, id, revocation),
    // A refusal is one of the promise.
    revoke: async (id, revocation) => revoke(id, revocation),
    async writeRest() {
      for (const id of index.revoking.keys()) {
        await changes.inTurn(async () => {
          // What was said last.
          const revocation = index.revoking.get(id)
          if (revocation !== undefined) await write(parts, changes, { id, revocation })
        })
      }
    },
  }
}

function cutOff(index: KeyIndex, id: string, revocation: Revocation): () => void {
  const own = index.keys.get(id)
  const claimed = revocation.keepClaimed === true ? [] : index.claimedWith(id)
  if (own === undefined && claimed.length === 0) {
    throw unknownKey(id)
  }
  const live = [...(own === undefined ? [] : [own]), ...claimed].filter(({ key }) => isLive(key))
  const before = index.revoking.get(id)
  for (const entry of live) entry.isCutOff = true
  if (live.length > 0) index.revoking.set(id, revocation)
  return () => {
    // Unless somebody else has asked for the same.
    if (index.revoking.get(id) !== revocation) return
    if (before === undefined) index.revoking.delete(id)
    else index.revoking.set(id, before)
    index.giveBack(live)
  }
}

type Revoked = Revocation & { readonly id: string }

interface Asked {
  readonly id: string
  readonly revocation: Revocation
}

async function write(parts: Parts, changes: KeyChanges, { id, revocation }: Asked): Promise<RevokedKey> {
  const { index } = changes
  const { by, reason, keepClaimed } = revocation
  const revoked = { ...revocation, id }
  const nowMs = parts.clock.now()
  // One that could not be written had cut them off.
  if (keepClaimed === true) index.giveBack(index.claimedWith(id))
  const ending = decideEnding(index, revoked, nowMs)
  // What was claimed since is refused too, whatever the storage says.
  for (const key of ending.keys) entryOf(changes, key.id).isCutOff = true
  const own = ending.keys.find((key) => key.id === id) ?? (await endedBefore(parts, index, id))
  const alsoEnded = ending.keys.map((key) => key.id).filter((one) => one !== id)
  const working = workingAfter({ ...parts, index }, own.client, { ending, nowMs })
  if (ending.keys.length > 0) {
    const notices = noticesOf(index, { revoked, ending, working })
    const change = { action: 'key-revoke', by, reason, alsoEnded, client: own.client, key: id, notices } as const
    await changes.commit({ ...change, ...ending }).catch((cause: unknown) => notWritten(cause, 'the key is'))
  }
  if (index.revoking.get(id) === revocation) index.revoking.delete(id)
  if (ending.keys.length === 0 && own.state !== 'revoked') {
    throw new Problem('api-key-state', `the key is ${own.state}, and nothing works that was claimed with it`)
  }
  return { key: own, alsoEnded, working }
}

/** It was retired, long ago perhaps. */
async function endedBefore({ store }: Parts, index: KeyIndex, id: string): Promise<ApiKeyRecord> {
  const key = index.keys.get(id)?.key ?? (await store.findKey(id))
  if (key === undefined) throw unknownKey(id)
  return key
}

/** Of a rotation that is completed by this the successor works from now on. */
function workingAfter(
  judged: Judged & Pick<Parts, 'environment'>,
  client: string,
  { ending, nowMs }: { readonly ending: Ending; readonly nowMs: number },
): string[] {
  const ended = new Set(ending.keys.map(({ id }) => id))
  const succeeding = new Set(ending.rotations.flatMap(({ state, to }) => (state === 'completed' ? (to ?? []) : [])))
  const works = judged.index.keysOf(client).filter((entry) => {
    const { key } = entry
    if (ended.has(key.id) || key.environment !== judged.environment) return false
    const begun = succeeding.has(key.id) ? { ...entry, joins: undefined } : entry
    return whyNot(judged, begun, nowMs) === undefined
  })
  return works.map(({ key }) => key.id)
}

interface Told {
  readonly revoked: Revoked
  readonly ending: Ending
  readonly working: readonly string[]
}

function noticesOf(index: KeyIndex, { revoked, ending, working }: Told): KeyNotice[] {
  return ending.keys.map((key) => {
    const { leaves, joins } = entryOf({ index }, key.id)
    const rotation = ending.rotations.find(({ id }) => id === leaves?.id || id === joins?.id)
    const claimedWith = key.id === revoked.id ? {} : { claimedWith: revoked.id }
    return { ...endNotice(key, rotation), ...claimedWith, working: working.slice(0, maxTold) }
  })
}

/** Throws what says that `whose` (“the key is”) refused, though that could not be written. */
export function notWritten(cause: unknown, whose: string): never {
  if (!(cause instanceof Problem)) throw cause
  const detail = `${whose} refused from now on, but that could not be written: it is tried again, and lost by a restart`
  throw new Problem(cause.code, detail, { cause, members: { ...cause.members, cutOff: true } })
}
