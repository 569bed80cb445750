/** What the admin API tells of usage, on the node's services. */
import type { UsagePort } from '../admin/usage-routes.ts'
import type { NodeParts } from '../node.ts'

export function usageAdministration({ usage }: NodeParts): UsagePort {
  return {
    async sum(asked) {
      await usage.flush()
      return usage.store.sum(asked)
    },
  }
}
