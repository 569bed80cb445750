/** Usage as the admin API shows it. */
import { z } from 'zod'
import type { View } from './shapes.ts'

export const usageGroups = ['participant', 'client', 'key', 'product', 'operation', 'hour', 'day'] as const
export type UsageGroup = (typeof usageGroups)[number]

const count = z.int().nonnegative()
const nobody = 'Empty for calls of nobody who is known.'

/** One line of `GET /v1/usage`: the members that were asked for by `by`, and the sums of these calls. */
export const usageSchema = z
  .strictObject({
    participant: z
      .string()
      .optional()
      .meta({ description: `DID. ${nobody}` }),
    client: z.string().optional().meta({ description: 'Id of the client with an API key; empty for all others.' }),
    key: z
      .string()
      .optional()
      .meta({ description: `Id of the API key, or DID URL of the signing key. ${nobody}` }),
    product: z.string().optional().meta({ description: 'Empty for calls that were refused before it was known.' }),
    operation: z.string().optional().meta({ description: 'Empty for calls that were refused before it was known.' }),
    hour: z.string().optional().meta({
      description:
        'RFC 3339: when it began, in UTC. What is older than `usage.hourlyDays` is all in the first hour of its day.',
    }),
    day: z.string().optional().meta({ description: 'RFC 3339: when it began, in UTC.' }),
    calls: count,
    refused: count,
    refusedFor: z
      .strictObject({ identity: count, limit: count, agreement: count, consent: count, policy: count, request: count })
      .meta({ description: 'The refused calls by why.' }),
    failed: count,
    units: count.meta({ description: 'What the calls took of limits.' }),
    bytes: count.meta({ description: 'Of the bodies of answers.' }),
    upstreamMs: count.meta({
      description: 'How long the API, or the partner, was waited for in all these calls together.',
    }),
    upstreamMaxMs: count,
  })
  .meta({ id: 'Usage' })
export type UsageView = View<typeof usageSchema>
