/** What an operator does with clients. */
import { rollBackRotation } from '@comity/core/api-keys/key-rotation'
import { Problem } from '@comity/core/problems'
import type { Statement } from '../storage/database.ts'
import { isLive } from './api-key-record.ts'
import type { ApiKeysParts } from './api-key-ports.ts'
import { changedClient, type Client, type ClientChange, type ClientRequest } from './client.ts'
import { endedKey, endNotice } from './end-key.ts'
import type { KeyChanges } from './key-changes.ts'

export interface ClientChanges {
  /** Throws `already-exists` also for the id of one that was removed, `partner-unknown`. */
  add(request: ClientRequest): Promise<Client>
  /** Throws `client-unknown`. */
  change(id: string, change: ClientChange): Promise<Client>
  /** Revokes all its keys, at once. Throws `client-unknown`. */
  remove(id: string): Promise<void>
}

type Parts = Pick<ApiKeysParts, 'clock' | 'findPartner' | 'webhooks'>

/** Throws `client-unknown`. */
export function clientOf({ index }: Pick<KeyChanges, 'index'>, id: string): Client {
  const client = index.clients.get(id)
  if (client === undefined || client.removedMs !== undefined) {
    throw new Problem('client-unknown', `there is no client \`${id.slice(0, 100)}\``)
  }
  return client
}

export function createClientChanges({ clock, findPartner, webhooks }: Parts, changes: KeyChanges): ClientChanges {
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
    async remove(id) {
      clientOf(changes, id)
      // Before anything is waited for.
      for (const entry of index.keysOf(id)) entry.isCutOff = true
      await webhooks.endWith(id, (statements) =>
        changes.inTurn(() => remove(changes, id, { nowMs: clock.now(), statements })),
      )
    },
  }
}

async function remove(
  changes: KeyChanges,
  id: string,
  { nowMs, statements }: { readonly nowMs: number; readonly statements: readonly Statement[] },
): Promise<void> {
  const { index } = changes
  const client = { ...clientOf(changes, id), removedMs: nowMs }
  const entries = index.keysOf(id)
  for (const entry of entries) entry.isCutOff = true
  const reason = { state: 'revoked', reason: 'client-removed' } as const
  const keys = entries.filter(({ key }) => isLive(key)).map(({ key }) => endedKey(key, reason, nowMs))
  const rotations = entries.flatMap(({ leaves }) => (leaves === undefined ? [] : [rollBackRotation(leaves, nowMs)]))
  const notices = keys.map((key) => endNotice(key))
  await changes.commit({
    action: 'client-remove',
    by: 'operator',
    client: id,
    clients: [client],
    keys,
    rotations,
    notices,
    statements,
  })
}

function partnerOf(findPartner: Parts['findPartner'], aliasOrDid: string): string {
  const partner = findPartner(aliasOrDid)
  if (partner === undefined) throw new Problem('partner-unknown', 'a client belongs to a partner of this node')
  return partner.did
}
