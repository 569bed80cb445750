/** What an operator does with clients. */
import { rollBackRotation } from '@comity/core/api-keys/key-rotation'
import { Problem } from '@comity/core/problems'
import { isLive } from './api-key-record.ts'
import type { ApiKeysParts } from './api-key-ports.ts'
import { changedClient, type Client, type ClientChange, type ClientRequest } from './client.ts'
import { endedKey, endNotice } from './end-key.ts'
import type { KeyChanges } from './key-changes.ts'
import type { KeyIndex } from './key-index.ts'
import { notWritten } from './revocations.ts'

export interface ClientChanges {
  /** Throws `already-exists` also for the id of one that was removed, `partner-unknown`. */
  add(request: ClientRequest): Promise<Client>
  /** Throws `client-unknown`. */
  change(id: string, change: ClientChange): Promise<Client>
  /** Refuses all its keys from this moment on, to be followed by `remove`; what it gives takes that back. Throws
   *  `client-unknown`. */
  cutOff(id: string): () => void
  /** Revokes all its keys: refused from this moment on, also while it is not durable. Throws `client-unknown`,
   *  `record-failed` after which it is tried again by `writeRest`. */
  remove(id: string): Promise<void>
  /** Writes removals that could not be written. Throws `record-failed`. */
  writeRest(): Promise<void>
}

type Parts = Pick<ApiKeysParts, 'clock' | 'findPartner' | 'webhooks'>

/** A client that is to be shown. Throws `client-unknown`. */
export function presentClient({ index }: Pick<KeyChanges, 'index'>, id: string): Client {
  const client = index.clients.get(id)
  if (client === undefined || client.removedMs !== undefined) {
    throw unknownClient(id)
  }
  return client
}

export function unknownClient(id: string): Problem {
  return new Problem('client-unknown', `there is no client \`${id.slice(0, 100)}\``)
}

/** A client that is to be changed, or given a key. Throws `client-unknown`. */
export function clientOf(changes: Pick<KeyChanges, 'index'>, id: string): Client {
  const client = presentClient(changes, id)
  if (changes.index.removing.has(id)) throw new Problem('client-unknown', `the client \`${id}\` is being removed`)
  return client
}

export function createClientChanges(parts: Parts, changes: KeyChanges): ClientChanges {
  const { clock, findPartner } = parts
  const { index } = changes
  return {
    add: (request) =>
      changes.inTurn(async () => {
        const { id, name = id, kind, owner, labels, policies, participant } = request
        if (index.clients.has(id)) throw new Problem('already-exists', `there is, or was, a client \`${id}\``)
        const did = participant === undefined ? undefined : partnerOf(findPartner, participant)
        const times = { createdMs: clock.now(), removedMs: undefined }
        const client: Client = { id, name, kind, owner, labels, participant: did, policies, ...times }
        await changes.commit({ action: 'client-add', by: 'operator', client: id, clients: [client] })
        return client
      }),
    change: (id, change) =>
      changes.inTurn(async () => {
        const client = changedClient(clientOf(changes, id), change)
        await changes.commit({ action: 'client-change', by: 'operator', client: id, clients: [client] })
        return client
      }),
    cutOff: (id) => cutOff(index, id),
    async remove(id) {
      // Before anything is waited for.
      cutOff(index, id)
      await changes.inTurn(() => write(parts, changes, id))
    },
    async writeRest() {
      for (const id of index.removing) {
        await changes.inTurn(async () => {
          if (index.removing.has(id)) await write(parts, changes, id)
        })
      }
    },
  }
}

function cutOff(index: KeyIndex, id: string): () => void {
  presentClient({ index }, id)
  const isFirst = !index.removing.has(id)
  index.removing.add(id)
  const keys = index.keysOf(id)
  for (const entry of keys) entry.isCutOff = true
  return () => {
    // Unless somebody else has asked for the same.
    if (!isFirst || !index.removing.delete(id)) return
    index.giveBack(keys)
  }
}

/** Only in turn; the client's webhooks end in theirs, which nothing waits in for this one. */
async function write({ clock, webhooks }: Parts, changes: KeyChanges, id: string): Promise<void> {
  const { index } = changes
  await webhooks.endWith(id, async (statements) => {
    const nowMs = clock.now()
    const client = { ...presentClient(changes, id), removedMs: nowMs }
    const entries = index.keysOf(id)
    // Those too that were made before it was asked for, and written since.
    for (const entry of entries) entry.isCutOff = true
    const reason = { state: 'revoked', reason: 'client-removed' } as const
    const keys = entries.filter(({ key }) => isLive(key)).map(({ key }) => endedKey(key, reason, nowMs))
    const rotations = entries.flatMap(({ leaves }) => (leaves === undefined ? [] : [rollBackRotation(leaves, nowMs)]))
    const notices = keys.map((key) => endNotice(key))
    const written = { clients: [client], keys, rotations, notices, statements }
    await changes
      .commit({ action: 'client-remove', by: 'operator', client: id, ...written })
      .catch((cause: unknown) => notWritten(cause, 'the client’s keys are'))
  })
  index.removing.delete(id)
}

function partnerOf(findPartner: Parts['findPartner'], aliasOrDid: string): string {
  const partner = findPartner(aliasOrDid)
  if (partner === undefined) throw new Problem('partner-unknown', 'a client belongs to a partner of this node')
  return partner.did
}
