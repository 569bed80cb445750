/** The successors of keys that are being rotated: made by the operator, who hands them over, or claimed by the client itself
 *  with the old key. One that was claimed is told again as long as its client may not have it yet: its secret follows from
 *  the old key's, which the client shows and the node does not keep. */
import { parseApiKey } from '@comity/core/api-keys/api-key'
import { nameSuccessor, type KeyRotation, type RotationPlan } from '@comity/core/api-keys/key-rotation'
import { Problem } from '@comity/core/problems'
import { isLive, type ApiKeyRecord, type ChangedBy } from './api-key-record.ts'
import type { ApiKeysParts } from './api-key-ports.ts'
import { clientOf } from './client-changes.ts'
import type { Client } from './client.ts'
import { endedKey, endNotice } from './end-key.ts'
import { claimedText, makeKey, stopped, succeedingTerms, type IssuedKey } from './issue-key.ts'
import type { KeyChanges } from './key-changes.ts'
import { entryOf, type KeyEntry } from './key-index.ts'
import type { KeyUsage } from './key-usage.ts'

export interface Succeeding extends Pick<ApiKeysParts, 'clock' | 'randomBytes' | 'hashes' | 'environment'> {
  readonly changes: KeyChanges
  readonly usage: KeyUsage
}

/** A rotation, and its successor. */
export interface Succeeded {
  readonly rotation: KeyRotation
  readonly successor: IssuedKey
}

/** How long after its first use a successor is still told: other machines of the client have the old key too. */
const tellsAfterUseMs = 600_000

/** A refusal of what is asked of a rotation. */
export function refused(detail: string): Problem {
  return new Problem('key-rotation-refused', detail)
}

interface Origin {
  readonly plan: Pick<RotationPlan, 'overlapFromMs'>
  readonly by: ChangedBy
  /** The old key itself, where it claims. */
  readonly presented?: string | undefined
}

/** A successor, with its own entry in no log yet. */
export function succeed(parts: Succeeding, key: ApiKeyRecord, { plan, by, presented }: Origin): IssuedKey {
  const { changes } = parts
  const clock = stopped(parts.clock)
  const terms = succeedingTerms(key, Math.max(plan.overlapFromMs, clock.now()))
  const claimedWith = presented === undefined ? undefined : parseApiKey(presented)
  const origin = { by, succeeds: key.id, claimedWith }
  return makeKey({ ...parts, clock, index: changes.index }, clientOf(changes, key.client), { ...terms, ...origin })
}

/** The successor that the operator makes. Only in turn. Throws `key-rotation-refused` where one is in use. */
export async function replaceSuccessor(parts: Succeeding, rotation: KeyRotation): Promise<Succeeded> {
  const { changes } = parts
  const unused = rotation.to === undefined ? undefined : entryOf(changes, rotation.to)
  if (unused === undefined || !isLive(unused.key)) return writeSuccessor(parts, rotation, [])
  // Refused from here on: a first use is either seen below, or it is none.
  unused.isCutOff = true
  try {
    await parts.usage.flush()
    if (parts.usage.lastUse(unused.key.id) !== undefined) throw refused('the successor is in use already')
    return await writeSuccessor(parts, rotation, [unused.key])
  } catch (error) {
    changes.index.giveBack([unused])
    throw error
  }
}

async function writeSuccessor(
  parts: Succeeding,
  rotation: KeyRotation,
  unused: readonly ApiKeyRecord[],
): Promise<Succeeded> {
  const { changes, clock } = parts
  const by = 'operator'
  const successor = succeed(parts, entryOf(changes, rotation.from).key, { plan: rotation, by })
  const named = nameSuccessor(rotation, successor.record.id)
  const replaced = unused.map((key) => endedKey(key, { state: 'revoked', reason: 'replaced' }, clock.now()))
  const notices = replaced.map((key) => endNotice(key, named))
  const keys = [...replaced, successor.record]
  await commit(changes, named, { action: 'rotation-succeed', by, keys, notices })
  return { rotation: named, successor }
}

/** The successor that the client claims, or has claimed: another one where that has ended. Only in turn. Throws
 *  `key-not-rotated`, `key-rotation-refused`. */
export async function claim(parts: Succeeding, old: KeyEntry, presented: string | undefined): Promise<Succeeded> {
  const { changes } = parts
  const rotation = claimable(changes, old)
  if (rotation.to !== undefined) return toldAgain(parts, rotation, presented)
  const successor = succeed(parts, old.key, { plan: rotation, by: 'client', presented })
  const named = nameSuccessor(rotation, successor.record.id)
  await commit(changes, named, { action: 'rotation-claim', by: 'client', keys: [successor.record] })
  // Revoked meanwhile: its successor is told to nobody, and ends with it.
  refuseInactive(old)
  return { rotation: named, successor }
}

function claimable(changes: KeyChanges, old: KeyEntry): KeyRotation {
  const { key, leaves } = old
  refuseInactive(old)
  if (leaves === undefined || leaves.state === 'prepared') {
    throw new Problem('key-not-rotated', 'the key is not being rotated now')
  }
  refuseClaim(clientOf(changes, key.client))
  return leaves
}

/** Throws `key-rotation-refused` for a client that may not renew itself. */
export function refuseClaim({ policies }: Pick<Client, 'policies'>): void {
  if (policies.selfRenewal) return
  throw refused(
    'the client may not fetch its next key itself: the operator makes it and hands it over ' +
      '(`comity api-keys rotate` without `--claim`, or `comity api-keys successor` where a rotation runs)',
  )
}

function refuseInactive({ key, isCutOff }: KeyEntry): void {
  if (key.state !== 'active' || isCutOff) throw refused('the key is not active')
}

function toldAgain(parts: Succeeding, rotation: KeyRotation, presented: string | undefined): Succeeded {
  const { changes, usage, clock } = parts
  const { key, isCutOff } = entryOf(changes, rotation.to ?? '')
  if (key.issuedBy !== 'client') throw refused('the operator made the successor, and hands it over')
  // One that has ended is no successor any more as soon as that is written.
  if (isCutOff) throw refused('the successor is being revoked: ask again, for another')
  if (key.state !== 'active') throw refused(`the successor is ${key.state}: ask the operator`)
  const firstUseMs = usage.firstUseMs(key.id) ?? Infinity
  if (clock.now() >= firstUseMs + tellsAfterUseMs) throw refused('the successor is in use already')
  const text = claimedText(parts, key, presented === undefined ? undefined : parseApiKey(presented))
  if (text === undefined) throw refused('the successor was not claimed with this key')
  return { rotation, successor: { record: key, text } }
}

function commit(
  changes: KeyChanges,
  rotation: KeyRotation,
  change: Omit<Parameters<KeyChanges['commit']>[0], 'client' | 'key' | 'rotation' | 'rotations'>,
): Promise<void> {
  const { client, from: key, id } = rotation
  return changes.commit({ ...change, client, key, rotation: id, rotations: [rotation] })
}
