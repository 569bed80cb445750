/** How an operator sets sealing, of a product or of a partner. */
import { z } from 'zod'
import { sealingAlgorithms, sealingModes, type SealingAlgorithm, type SealingMode } from './sealing-algorithms.ts'

/** Algorithms in order of preference. */
export const sealingPreference = z.array(z.enum(sealingAlgorithms)).min(1).max(sealingAlgorithms.length)

/** The settings with what holds for entries that are left out. */
export function sealingSettingsSchema(usual: SealingMode) {
  return z.strictObject({
    answers: z.enum(sealingModes).default(usual),
    requests: z.enum(sealingModes).default(usual),
    /** The node's own when absent. */
    algorithms: sealingPreference.optional(),
  })
}

/** How the contents of a product, or those exchanged with a partner, are sealed. */
export interface SealingSettings {
  readonly answers: SealingMode
  readonly requests: SealingMode
  /** In order of preference; the node's own when absent. */
  readonly algorithms?: readonly SealingAlgorithm[] | undefined
}
