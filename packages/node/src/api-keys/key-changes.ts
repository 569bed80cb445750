/** Every change of clients, keys and rotations: written with its entry in the audit log in one transaction, then in
 *  memory, then told. One after the other. */
import { createHash } from 'node:crypto'
import { canonicalJson } from '@comity/core/bytes/canonical-json'
import type { KeyRotation } from '@comity/core/api-keys/key-rotation'
import type { Statement } from '../storage/database.ts'
import { createTurns } from '../storage/turns.ts'
import { publicFacts, type ApiKeyRecord, type ChangedBy } from './api-key-record.ts'
import type { ApiKeysParts, KeyNotice } from './api-key-ports.ts'
import type { Client } from './client.ts'
import type { KeyIndex, Written } from './key-index.ts'

/** One change. What it writes are the new versions of everything that is not as before. */
export interface KeyChange extends Written {
  readonly action:
    | `client-${'add' | 'change' | 'remove'}`
    | `key-${'issue' | 'change' | 'revoke' | 'disable' | 'enable' | 'retire' | 'warn' | 'unusual'}`
    | `rotation-${'prepare' | 'begin' | 'drain' | 'complete' | 'roll-back' | 'claim' | 'succeed' | 'wait'}`
  readonly by: ChangedBy
  readonly client: string
  readonly key?: string | undefined
  readonly rotation?: string | undefined
  readonly reason?: string | undefined
  /** Ids of the keys that ended with the one that was revoked. */
  readonly alsoEnded?: readonly string[] | undefined
  readonly notices?: readonly KeyNotice[] | undefined
  /** Further writes. */
  readonly statements?: readonly Statement[] | undefined
}

export interface KeyChanges {
  readonly index: KeyIndex
  /** Runs the work when all changes that came before have ended. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
  /** Only in turn. Throws `record-failed`; then nothing has changed. */
  commit(change: KeyChange): Promise<void>
}

type Parts = Pick<ApiKeysParts, 'clock' | 'newId' | 'store' | 'record' | 'webhooks' | 'onNotice'>

export function createKeyChanges(parts: Parts, index: KeyIndex): KeyChanges {
  const turns = createTurns()
  return {
    index,
    inTurn: (work) => turns('keys', work),
    async commit(change) {
      const { notices = [] } = change
      const event = { id: parts.newId(), type: 'api-key', timeMs: parts.clock.now() }
      const body = JSON.stringify({ type: event.type, id: event.id, time: event.timeMs, ...factsOf(change, index) })
      const told = notices.flatMap(({ type, ...payload }) => parts.webhooks.statement({ type, payload }))
      await parts.record({ ...event, body }, [...writesOf(parts, index, change), ...(change.statements ?? []), ...told])
      index.apply(change)
      for (const notice of notices) parts.onNotice(notice)
      if (told.length > 0) parts.webhooks.wake()
    },
  }
}

/** What the log keeps: who changed what, and the hashes of what was there and of what is. */
function factsOf(
  { action, by, client, key, rotation, reason, alsoEnded, clients, keys, rotations }: KeyChange,
  index: KeyIndex,
) {
  const before = {
    clients: (clients ?? []).flatMap(({ id }) => index.clients.get(id) ?? []),
    keys: (keys ?? []).flatMap(({ id }) => factsThere(index, id)),
    rotations: (rotations ?? []).flatMap(({ id }) => index.rotations.get(id) ?? []),
  }
  const after = { clients: clients ?? [], keys: (keys ?? []).map(publicFacts), rotations: rotations ?? [] }
  const wasThere = Object.values(before).some((list) => list.length > 0)
  const hashes = { ...(wasThere && { before: hashOf(before) }), after: hashOf(after) }
  return { action, by, client, key, rotation, reason, alsoEnded, ...hashes }
}

function factsThere({ keys }: KeyIndex, id: string) {
  const entry = keys.get(id)
  return entry === undefined ? [] : [publicFacts(entry.key)]
}

/** SHA-256 (base64url) of the canonical JSON (RFC 8785); members that are undefined are not there. */
function hashOf(value: unknown): string {
  return createHash('sha256')
    .update(canonicalJson(JSON.parse(JSON.stringify(value))))
    .digest('base64url')
}

function writesOf(
  { store }: Parts,
  index: KeyIndex,
  { clients = [], keys = [], rotations = [] }: Written,
): Statement[] {
  const client = (one: Client) => (index.clients.has(one.id) ? store.updateClient(one) : store.insertClient(one))
  const key = (one: ApiKeyRecord) => (index.keys.has(one.id) ? store.updateKey(one) : store.insertKey(one))
  const rotation = (one: KeyRotation) =>
    index.rotations.has(one.id) ? store.updateRotation(one) : store.insertRotation(one)
  return [...clients.map(client), ...keys.map(key), ...rotations.map(rotation)]
}
