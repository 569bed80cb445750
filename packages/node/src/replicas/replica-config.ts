/** The section `replicas` of `comity.yaml`: of which partners' products this node keeps what it received. */
import { isDid } from '@comity/core/identity/did'
import { durationBounds, parseDuration } from '@comity/core/consent/durations'
import { z } from 'zod'
import type { ReplicaRule } from './replica.ts'

const leastMs = 1_000

/** The shortest that it lasts, in milliseconds; undefined for no duration, and for one under a second. */
function durationMs(text: string): number | undefined {
  const duration = parseDuration(text)
  const { shortestMs } = duration === undefined ? { shortestMs: 0 } : durationBounds(duration)
  return shortestMs < leastMs ? undefined : shortestMs
}

const duration = z
  .string()
  .refine((text) => durationMs(text) !== undefined, 'must be a duration of ISO 8601 such as `PT15M`')

export const replicaConfigSchema = z.strictObject({
  partner: z
    .string()
    .refine((text) => isDid(text) || /^[a-z0-9][a-z0-9-]{0,62}$/.test(text), 'must be an alias or a DID'),
  product: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be the id of a product'),
  operations: z.array(z.string().min(1).max(200)).min(1).max(1_000).optional(),
  maxAge: duration,
  refresh: z.union([z.literal('on-demand'), duration]).default('on-demand'),
})

export type ReplicaConfig = z.infer<typeof replicaConfigSchema>

/** The rule as the node works with it. */
export function replicaRule({ partner, product, operations, maxAge, refresh }: ReplicaConfig): ReplicaRule {
  const everyMs = refresh === 'on-demand' ? undefined : durationMs(refresh)
  return { partner, product, operations, maxAgeMs: durationMs(maxAge) ?? leastMs, everyMs }
}
