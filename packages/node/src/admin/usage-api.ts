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

const share = z.number().nonnegative()

/** One line of `GET /v1/usage/forecast`. */
export const quotaForecastSchema = z
  .strictObject({
    name: z.string().meta({ description: 'Of this line.' }),
    limit: z.string().meta({ description: 'Name of the rule in `limits.rules`.' }),
    whose: z
      .strictObject({
        participant: z.string().optional(),
        client: z.string().optional(),
        key: z.string().optional(),
        product: z.string().optional(),
        operation: z.string().optional(),
      })
      .meta({ description: 'By what the rule counts, and which that is here.' }),
    per: z.enum(['day', 'month']),
    units: count.meta({ description: 'The quota, with what was granted beyond the rule.' }),
    used: count,
    periodEnds: z.string().meta({ description: 'RFC 3339.' }),
    historyHours: count.meta({ description: 'Hours since the first call that is still told by hours.' }),
    leastHistoryHours: count.meta({ description: 'With less history nothing is forecast.' }),
    forecast: z
      .strictObject({
        method: z.enum(['flat', 'seasonal', 'smoothing']),
        error: z
          .strictObject({
            heldOutHours: count,
            horizonHours: count,
            forecasts: count,
            hourly: share.optional().meta({ description: 'Sum of absolute errors over sum of what came (WAPE).' }),
            ofSums: share.optional().meta({ description: 'The same of the sums over the horizon.' }),
            ofSumsFlat: share.optional().meta({ description: '`ofSums` of the mean of the last week.' }),
            coverage: share.meta({
              description: 'Share of running sums within the interval, which is meant to hold 0.8.',
            }),
          })
          .meta({ description: 'How wrong the method was on the last fifth of the history, which it had not seen.' }),
        expected: count.meta({ description: 'Units at the end of the period, were there no limit.' }),
        low: count,
        high: count,
        hit: z
          .string()
          .optional()
          .meta({ description: 'RFC 3339: when the quota is expected to be used up; absent when not in this period.' }),
        earliest: z.string().optional().meta({ description: 'The earliest that is plausible.' }),
      })
      .optional()
      .meta({ description: 'Absent when there is too little history.' }),
  })
  .meta({ id: 'QuotaForecast' })
export type QuotaForecastView = View<typeof quotaForecastSchema>
