/** `/v1/usage/forecast`: when quotas will be used up. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { z } from 'zod'
import { defineRoute, type AdminRoute } from './route.ts'
import { after, limit } from './shapes.ts'
import { quotaForecastSchema, type QuotaForecastView } from './usage-api.ts'

/** A quota and what is expected of it. Times are milliseconds since the epoch. */
export interface QuotaForecastFacts {
  readonly name: string
  readonly limit: string
  readonly whose: QuotaForecastView['whose']
  readonly per: QuotaForecastView['per']
  readonly units: number
  readonly used: number
  readonly endMs: number
  readonly historyHours: number
  readonly leastHistoryHours: number
  /** Undefined where the history is too short. */
  readonly forecast:
    | {
        readonly method: NonNullable<QuotaForecastView['forecast']>['method']
        readonly error: NonNullable<QuotaForecastView['forecast']>['error']
        readonly expected: number
        readonly low: number
        readonly high: number
        readonly hitMs: number | undefined
        readonly earliestMs: number | undefined
      }
    | undefined
}

export interface ForecastPort {
  forecast(page: {
    readonly after?: string | undefined
    readonly limit: number
  }): Promise<readonly QuotaForecastFacts[]>
}

/** Routes of forecasts. */
export function forecastRoutes({ usage }: { readonly usage: ForecastPort }): AdminRoute[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/usage/forecast',
      tag: 'usage',
      summary: 'Each quota of each who called in the last weeks: what is used, and when it is expected to be used up',
      query: { after, limit: limit(50, 200) },
      result: z.array(quotaForecastSchema),
      paging: { by: 'after', keyOf: ({ name }) => name },
      answer: async ({ query }) => (await usage.forecast(query)).map(viewOf),
    }),
  ]
}

function viewOf(facts: QuotaForecastFacts): QuotaForecastView {
  const { endMs, forecast, ...rest } = facts
  const known = { ...rest, periodEnds: formatDateTime(endMs) }
  if (forecast === undefined) return known
  const { method, error, expected, low, high, hitMs, earliestMs } = forecast
  return {
    ...known,
    forecast: {
      method,
      error,
      expected: Math.round(expected),
      low: Math.round(low),
      high: Math.round(high),
      ...(hitMs !== undefined && { hit: formatDateTime(hitMs) }),
      ...(earliestMs !== undefined && { earliest: formatDateTime(earliestMs) }),
    },
  }
}
