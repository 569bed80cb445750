/** Local replicas, on the parts that the node has. */
import type { AuditLog } from '../audit-log/audit-log.ts'
import { unsealDetails } from '../consent/held/held-details.ts'
import { parseOutboundRoute, type OutboundRoute } from '../gateway/outbound/outbound-route.ts'
import { pairwiseIn } from '../gateway/outbound/outbound-consent.ts'
import { replicaRule } from '../replicas/replica-config.ts'
import type { HeldPort, ReplicasParts } from '../replicas/replica-ports.ts'
import { createReplicaStore } from '../replicas/replica-store-sql.ts'
import { createReplicas, type Replicas } from '../replicas/replicas.ts'
import type { Counterparts } from './counterparts.ts'
import type { Foundation } from './foundation.ts'
import type { ConsentOfNode } from './late-consent.ts'

export interface ReplicaAssembly extends Pick<ReplicasParts, 'call' | 'countRefused' | 'trustedAuthorities'> {
  readonly foundation: Foundation
  readonly auditLog: AuditLog
  readonly counterparts: Counterparts
  readonly consent: Pick<ConsentOfNode, 'held'>
  readonly newId: () => string
}

export function openReplicas(parts: ReplicaAssembly): Replicas {
  const { foundation, auditLog, counterparts, consent, newId, call, countRefused, trustedAuthorities } = parts
  const { config, database, vault, world, events, identity } = foundation
  return createReplicas({
    clock: world.clock,
    newId,
    store: createReplicaStore(database),
    vault,
    rules: config.replicas.map((rule) => replicaRule({ ...rule, operations: rule.operations && [...rule.operations] })),
    findPartner: (aliasOrDid) => counterparts.partners.find(aliasOrDid),
    routeOf: replicaRoute,
    personIn: pairwiseIn,
    hasAgreement: ({ holder, agreement, ...called }) =>
      counterparts.agreements.decide(
        { assigner: holder, assignee: identity.did, ...called, agreementId: agreement },
        world.clock.now(),
      ).allowed,
    held: heldPort(foundation, consent),
    call,
    execute: (statements) => database.execute(statements),
    record: (event, effects) => auditLog.append(auditLog.prepare(event), effects),
    trustedAuthorities,
    countRefused,
    onError: (error) => events.internalError(error),
  })
}

function heldPort({ vault }: Foundation, { held }: Pick<ConsentOfNode, 'held'>): HeldPort {
  return {
    find: (id) => held.store.find(id),
    findByConsent: (id) => held.store.findByConsent(id),
    async scopesOf(id) {
      const row = await held.store.find(id)
      return (row && (await unsealDetails(vault, row)))?.scopes ?? []
    },
    refresh: (id) => held.consents.refresh(id),
    stands: (known) => held.store.stands(known),
  }
}

/** A call that names a version is not answered by what another version said: rules are for products without one. */
function replicaRoute(path: string): OutboundRoute {
  const route = parseOutboundRoute(path)
  return { ...route, product: route.address }
}
