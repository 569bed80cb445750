/** What the admin API tells of usage, on the node's services. */
import type { ForecastPort } from '../admin/forecast-routes.ts'
import type { UsagePort } from '../admin/usage-routes.ts'
import type { NodeParts } from '../node.ts'

export function usageAdministration(parts: NodeParts): UsagePort & ForecastPort {
  const { usage } = parts
  return {
    // Loaded when it is asked for.
    forecast: async (page) => (await import('./usage-forecast.ts')).forecastQuotas(parts, page),
    async sum(asked) {
      await usage.flush()
      return usage.store.sum(asked)
    },
  }
}
