/** For tests of the operator's own systems: no client has a webhook. */
import type { ClientEndpoints } from './client-webhooks.ts'

export const withoutClients: ClientEndpoints = {
  told: () => [],
  find: () => undefined,
  all: () => [],
  endWith: (_client, remove) => remove([]),
  prune: async () => undefined,
}
