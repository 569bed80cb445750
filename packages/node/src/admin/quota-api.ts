/** Requests for a higher quota as the admin API shows them. */
import { z } from 'zod'
import type { View } from './shapes.ts'

const units = z.int().positive()
const time = z.string().meta({ description: 'RFC 3339.' })

const asked = {
  id: z.string(),
  limit: z.string().meta({ description: 'Name of the rule in `limits.rules` of the holder.' }),
  product: z.string().optional().meta({ description: 'Where it is for one product.' }),
  units,
  per: z.enum(['day', 'month']),
  reason: z.string(),
  asked: time,
  state: z.enum(['asked', 'granted', 'refused', 'withdrawn']),
  decided: time.optional(),
  granted: units.optional().meta({ description: 'Units that were granted.' }),
  until: time.optional().meta({ description: 'RFC 3339: when the rule’s own quota counts again.' }),
  note: z.string().optional(),
}

export const quotaRequestSchema = z
  .strictObject({
    ...asked,
    participant: z.string().optional().meta({ description: 'DID of who asks.' }),
    client: z.string().optional().meta({ description: 'Id of the client that asks with an API key.' }),
  })
  .meta({ id: 'QuotaRequest' })
export type QuotaRequestView = View<typeof quotaRequestSchema>

export const quotaCountSchema = z
  .strictObject({
    limit: z.string().meta({ description: 'Name of the rule in `limits.rules`.' }),
    of: z.string().meta({ description: 'What is counted, as `quota.near` tells it; `all` where all calls share one.' }),
    units: units.meta({ description: 'Of the rule, or as many as were granted.' }),
    used: z.int().nonnegative(),
    per: z.enum(['day', 'month']),
    periodEnds: time,
  })
  .meta({ id: 'QuotaCount' })
export type QuotaCountView = View<typeof quotaCountSchema>

export const quotaAskSchema = z
  .strictObject({ ...asked, partner: z.string().meta({ description: 'DID of the holder that was asked.' }) })
  .meta({ id: 'QuotaAsk' })
export type QuotaAskView = View<typeof quotaAskSchema>
