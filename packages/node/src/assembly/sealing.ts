/** Sealing on the node's keys and the documents of others, and what the own document says of it. */
import type { DidDocument } from '@comity/core/identity/did-document'
import type { SealingAlgorithm } from '@comity/core/sealing/sealing-algorithms'
import type { SealingSettings } from '@comity/core/sealing/sealing-settings'
import type { SealingPort } from '../gateway/sealing-port.ts'
import { announceSealing, createSealing, type Target } from '../sealing/sealing-service.ts'
import type { Counterparts } from './counterparts.ts'
import type { Foundation } from './foundation.ts'

/** Sealing for the gateway. */
export function openSealing({ config, world, identity }: Foundation, { resolver }: Counterparts): SealingPort {
  const service = createSealing({
    ownKeys: () => identity.agreementKeys(),
    documents: resolver,
    algorithms: config.sealing.algorithms,
    ...world,
  })
  // The gateway gives back the targets that it was given here.
  return { ...service, seal: (target, binding, content) => service.seal(target as Target, binding, content) }
}

/** The own document as it is published: with what the products seal now, by the algorithms of the configuration. */
export function publishedDocument(
  document: DidDocument,
  settings: readonly SealingSettings[],
  algorithms: readonly SealingAlgorithm[],
): DidDocument {
  const wanted = (side: 'answers' | 'requests'): SealingAlgorithm[] => {
    const named = settings.flatMap((product) => (product[side] === 'off' ? [] : (product.algorithms ?? algorithms)))
    return algorithms.filter((algorithm) => named.includes(algorithm))
  }
  return announceSealing(document, { answers: wanted('answers'), requests: wanted('requests') })
}
