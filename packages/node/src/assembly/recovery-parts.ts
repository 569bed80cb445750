/** What closes the exchanges that a crash left open, on the parts that the node has. */
import { exchangeUnknown } from '@comity/core/events/event-types'
import type { InboundParts } from '../gateway/inbound.ts'
import type { RecoveryParts } from '../gateway/recovery.ts'
import type { GatewayParts } from './gateway.ts'

export function recoveryParts(parts: GatewayParts, inbound: InboundParts): RecoveryParts {
  const { foundation, auditLog, counterparts, newId } = parts
  const { world, database, events } = foundation
  return {
    world,
    database,
    intents: inbound.intents,
    nonces: inbound.nonces,
    auditLog,
    vault: foundation.vault,
    newId,
    notify: (did, exchangeId) => {
      events.exchangeUnknown({ id: exchangeId, peer: did })
      const occurredMs = world.clock.now()
      return [
        counterparts.outbox.statement({
          recipient: did,
          type: exchangeUnknown,
          payload: { exchange: exchangeId },
          occurredMs,
        }),
      ]
    },
  }
}
