/** Replicas as the admin API asks for them. */
import { Problem } from '@comity/core/problems'
import type { ReplicasPort } from '../admin/replica-routes.ts'
import type { NodeParts } from '../node.ts'
import { createReplicaStore } from '../replicas/replica-store-sql.ts'

export function replicaAdministration({ foundation, auditLog, counterparts, newId }: NodeParts): ReplicasPort {
  const { database, world } = foundation
  const store = createReplicaStore(database)
  return {
    find: (id) => store.find(id),
    list: ({ holder, ...filter }) =>
      store.list({ ...filter, holder: holder && (counterparts.partners.find(holder)?.did ?? holder) }),
    async remove(id) {
      const replica = await store.find(id)
      if (replica === undefined) throw new Problem('replica-unknown', 'this node keeps no such replica')
      const event = { id: newId(), type: 'replicas-removed', timeMs: world.clock.now() }
      const { consent } = replica
      const facts = { type: event.type, id: event.id, time: event.timeMs, reason: 'operator', consent, removed: 1 }
      const prepared = auditLog.prepare({ ...event, body: JSON.stringify(facts) })
      await auditLog.append(prepared, store.removeOne(id, event.timeMs))
    },
  }
}
