/** The count of how much is called, on the node's database. */
import { createUsageStore } from '../usage/usage-store-sql.ts'
import { Usage } from '../usage/usage.ts'
import type { Foundation } from './foundation.ts'

/** Opens it; what was counted is written a last time when `stack` ends. */
export function openUsage({ config, database, world }: Foundation, stack: AsyncDisposableStack): Usage {
  const { keepDays, hourlyDays } = config.usage
  return stack.use(new Usage({ store: createUsageStore(database), clock: world.clock, keepDays, hourlyDays }))
}
