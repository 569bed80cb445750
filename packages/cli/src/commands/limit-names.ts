/** Names in the rules of limits that nobody has, against the configuration and, when the node runs, what was added to it. */
import type { PartnerView } from '@comity/node/admin/admin-api'
import type { ClientView } from '@comity/node/admin/client-api'
import type { Config } from '@comity/node/config/config'
import { nearestName } from '@comity/node/config/nearest-name'
import { unknownInRules } from '@comity/node/limits/unknown-in-rules'
import { loadOpenApi } from '@comity/node/products/openapi/openapi'
import { operationNames } from '@comity/node/products/operation-names'
import { connect, type CommandContext } from '../command-context.ts'
import { addedProducts } from './declared-products.ts'

/** The warnings, a sentence each. */
export async function checkLimitNames(context: CommandContext, config: Config): Promise<readonly string[]> {
  const { rules } = config.limits
  if (rules.every((rule) => rule.for === undefined)) return []
  const added = await addedProducts(context, config)
  const documents = [
    ...config.products.map(({ id, openapi }) => ({ id, document: () => loadOpenApi(openapi) })),
    ...added.products.map(({ product: { id }, document }) => ({ id, document })),
  ]
  const products = await Promise.all(
    documents.map(async ({ id, document }) => ({ id, operations: await operationNames(document) })),
  )
  const others = added.unasked === undefined ? await callersOf(context) : {}
  return unknownInRules(rules, { products, ...others, nearest: nearestName }).map(
    ({ rule, place, message, help, isOfProduct }) => {
      const more = [help, ...(isOfProduct ? [added.unasked] : [])].filter((text) => text !== undefined).join(' ')
      return `${place} [${rule}] warning: ${message}${more === '' ? '' : ` (${more})`}; the rule meets nobody by it`
    },
  )
}

async function callersOf(context: CommandContext) {
  const client = await connect(context)
  const clients = await client.all<ClientView>('/v1/clients')
  return { participants: await client.all<PartnerView>('/v1/partners'), clients: clients.map(({ id }) => id) }
}
