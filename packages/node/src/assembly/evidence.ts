/** The evidence of exchanges, from this node's log and from the partners' nodes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createEvidenceExport } from '../admin/evidence-export.ts'
import type { AuditLog } from '../audit-log/audit-log.ts'
import { createExchangeStore } from '../gateway/exchange-store.ts'
import { loadProof } from '../gateway/proof-route.ts'
import type { Counterparts } from './counterparts.ts'
import type { Foundation } from './foundation.ts'
import { createHolderReader } from './holder-reader.ts'

export interface EvidenceParts {
  readonly foundation: Foundation
  readonly auditLog: AuditLog
  readonly counterparts: Counterparts
}

/** Makes the evidence of an exchange by its id. */
export function openEvidence(parts: EvidenceParts): ReturnType<typeof createEvidenceExport> {
  const { foundation, auditLog, counterparts } = parts
  const exchanges = createExchangeStore(foundation.database, foundation.vault)
  return createEvidenceExport({
    did: foundation.identity.did,
    verifierKey: auditLog.verifierKey,
    findExchange: (id) => exchanges.find(id),
    async loadProof(eventId) {
      // Whoever asks for the proof of what just happened need not wait for the next checkpoint.
      if ((await auditLog.proof(eventId)) === 'pending') await auditLog.integrate()
      return loadProof(auditLog, eventId)
    },
    ...createHolderReader(parts),
    // The node's own is never an old copy: evidence must hold the key that has just been rotated in.
    resolveDocument: async (did) =>
      did === foundation.identity.did ? foundation.identity.document() : counterparts.resolver.resolveDocument(did),
    sleep: async (ms) => void (await sleep(ms)),
  })
}
