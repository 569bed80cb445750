/** `/v1/clients`: who holds API keys. */
import { z } from 'zod'
import { apiKeySchema, clientSchema, issuedKeySchema, liveOfKeys } from './client-api.ts'
import { apiKeyView, clientView, issuedKeyView } from './client-views.ts'
import { warned } from './key-warnings.ts'
import type { AdminParts } from './ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { after, judgedLater, limit, named, pageOf } from './shapes.ts'

type Parts = Pick<AdminParts, 'apiKeys' | 'schemas' | 'products' | 'environment'>

const path = '/v1/clients'
const tag = 'clients'
const parameters = named('Id of a client.')
const keyOf = ({ id }: { readonly id: string }) => id

export function clientRoutes(parts: Parts): AdminRoute[] {
  const { apiKeys } = parts
  return [
    defineRoute({
      method: 'GET',
      path,
      tag,
      summary: 'The clients, by id',
      query: { after, limit: limit(1_000) },
      result: z.array(clientSchema),
      paging: { by: 'after', keyOf },
      answer: async ({ query }) => pageOf(await apiKeys.listClients(), query, keyOf).map(clientView),
    }),
    defineRoute({
      method: 'GET',
      path: `${path}/{id}`,
      tag,
      summary: 'One client',
      parameters,
      result: clientSchema,
      problems: ['client-unknown'],
      answer: async ({ path: { id } }) => clientView(await apiKeys.showClient(id)),
    }),
    ...changeRoutes(parts),
    ...keysOfClient(parts),
  ]
}

function changeRoutes({ apiKeys, schemas }: Parts): AdminRoute[] {
  return [
    defineRoute({
      method: 'POST',
      path,
      tag,
      summary: 'Adds a client',
      status: 201,
      body: judgedLater(schemas.apiKeys.client),
      result: clientSchema,
      problems: ['already-exists', 'partner-unknown'],
      guards: true,
      answer: async ({ body, condition }) =>
        clientView(await apiKeys.changeIf(condition, (changes) => changes.addClient(body))),
    }),
    defineRoute({
      method: 'PATCH',
      path: `${path}/{id}`,
      tag,
      summary: 'Changes what is given of a client; `null` takes an entry away',
      parameters,
      body: judgedLater(schemas.apiKeys.clientChange),
      result: clientSchema,
      problems: ['client-unknown'],
      guards: true,
      answer: async ({ path: { id }, body, condition }) =>
        clientView(await apiKeys.changeIf(condition, (changes) => changes.changeClient(id, body))),
    }),
    defineRoute({
      method: 'DELETE',
      path: `${path}/{id}`,
      tag,
      summary: 'Removes a client and revokes all its keys, for the very next call',
      description:
        'It counts before anything is written: an error afterwards says so by `cutOff`, and the node goes on trying.',
      status: 204,
      parameters,
      problems: ['client-unknown'],
      guards: true,
      atOnce: ({ path: { id } }) => apiKeys.cutOffClient(id),
      answer: ({ path: { id }, condition }) => apiKeys.changeIf(condition, (changes) => changes.removeClient(id)),
    }),
  ]
}

function keysOfClient({ apiKeys, schemas, products, environment }: Parts): AdminRoute[] {
  return [
    defineRoute({
      method: 'GET',
      path: `${path}/{id}/keys`,
      tag,
      summary: 'The keys of a client, oldest first; never what their secrets follow from',
      parameters,
      query: { after, limit: limit(100) },
      result: z.array(apiKeySchema),
      live: liveOfKeys,
      paging: { by: 'after', keyOf },
      problems: ['client-unknown'],
      async answer({ path: { id }, query }) {
        await apiKeys.showClient(id)
        return (await apiKeys.listKeys({ ...query, client: id })).map(apiKeyView)
      },
    }),
    defineRoute({
      method: 'POST',
      path: `${path}/{id}/keys`,
      tag,
      summary: 'Issues a key; the answer is the only place that has its secret',
      status: 201,
      shownAt: '/v1/api-keys/{id}',
      parameters,
      body: judgedLater(schemas.apiKeys.key),
      result: issuedKeySchema,
      problems: ['client-unknown', 'api-key-state'],
      guards: true,
      async answer({ path: { id }, body, condition }) {
        const issued = await apiKeys.changeIf(condition, (changes) => changes.issueKey(id, body))
        const { policies } = await apiKeys.showClient(id)
        return { ...issuedKeyView(issued), ...warned(issued.key, { products, policies, environment }) }
      },
    }),
  ]
}
