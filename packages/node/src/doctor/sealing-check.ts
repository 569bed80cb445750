/** Whether what is demanded of the contents exchanged with a partner can be had: its document must name a key for bodies,
 *  and announce that it seals answers. */
import { findService, type DidDocument } from '@comity/core/identity/did-document'
import { agreementKeysOf } from '@comity/core/sealing/agreement-key'
import { nodeServiceType } from '../identity/tls-keys.ts'
import type { PartnerFacts } from './doctor-options.ts'
import { bad, caution, type Finding } from './finding.ts'

/** At most one finding: what keeps every call with a body, or with an answer, from being made. */
export function checkSealing(
  document: DidDocument,
  { alias, sealing }: Pick<PartnerFacts, 'alias' | 'sealing'>,
  nowMs: number,
): Finding[] {
  const check = `partner ${alias}`
  if (sealing?.requests === 'required' && agreementKeysOf(document, nowMs).length === 0) {
    const remedy = 'ask the partner for a did:web with key agreement keys, or set `sealing.requests` to `offered`'
    return [bad(check, 'bodies must be sealed to it, and its DID document names no key for that', remedy)]
  }
  if (sealing?.answers === 'required' && !announcesAnswers(document)) {
    const remedy = 'ask the partner to set `sealing.answers` of its products'
    return [caution(check, 'its answers must be sealed, and its DID document does not announce that any are', remedy)]
  }
  return []
}

function announcesAnswers(document: DidDocument): boolean {
  const said = findService(document, nodeServiceType)?.['sealing']
  const { answers } = (typeof said === 'object' && said !== null ? said : {}) as { readonly answers?: unknown }
  return Array.isArray(answers) && answers.length > 0
}
