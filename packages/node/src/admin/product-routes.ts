/** `/v1/products`: what this node offers. */
import { createHash } from 'node:crypto'
import { productAddressShape } from '@comity/core/exchange/product-address'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import { declaredProductSchema, productSchema } from './admin-api.ts'
import { hashOf, recorded } from './changes.ts'
import type { AdminParts, ProductSettings } from './ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { after, judgedLater, limit, moment, named, pageOf } from './shapes.ts'
import { declaredProductView, productView } from './views.ts'

/** An OpenAPI document, JSON-encoded, and the settings around it. */
const maxBodyBytes = 16 * 1024 * 1024

/** What the hash of a product is over: of the fields that go upstream only the names, since values are credentials. */
function factsOf({ upstreamHeaders, ...settings }: ProductSettings, documentHash: string) {
  return { ...settings, upstreamHeaders: Object.keys(upstreamHeaders).toSorted(), documentHash }
}

const lifeSchema = z
  .strictObject({
    deprecated: moment.optional(),
    sunset: moment.optional(),
    successor: z.string().max(200).regex(productAddressShape).optional(),
  })
  .meta({ id: 'ProductLife' })

const addressOf = ({ id, version }: { readonly id: string; readonly version: string }) => `${id}@${version}`
const parameters = named('An id, or `id@version`.')

/** Routes of products. A product of the configuration cannot be removed here. */
export function productRoutes(parts: AdminParts): AdminRoute[] {
  const { products } = parts
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/products',
      tag: 'products',
      summary: 'What is offered',
      query: { after, limit: limit(1_000) },
      result: z.array(productSchema),
      paging: { by: 'after', keyOf: addressOf },
      answer: ({ query }) =>
        pageOf(products.list(), query, ({ product }) => addressOf(product)).map(({ product, declaredIn }) =>
          productView(product, declaredIn),
        ),
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/products/{id}',
      tag: 'products',
      summary: 'One product, with its settings and its OpenAPI document',
      parameters,
      result: declaredProductSchema,
      problems: ['product-unknown'],
      answer({ path: { id } }) {
        const known = products.get(id)
        const listed = products.list().find(({ product }) => product === known)
        if (listed === undefined) throw new Problem('product-unknown', 'nothing is offered under this id')
        return declaredProductView(listed.product, listed.declaredIn)
      },
    }),
    ...changeRoutes(parts),
  ]
}

function changeRoutes(parts: AdminParts): AdminRoute[] {
  const { products } = parts
  return [
    defineRoute({
      method: 'POST',
      path: '/v1/products',
      tag: 'products',
      summary: 'Offers a product, its OpenAPI document within',
      status: 201,
      maxBodyBytes,
      body: judgedLater(parts.schemas.product),
      result: productSchema,
      problems: ['already-exists', 'openapi-invalid'],
      async answer({ body }) {
        const request = products.parse(body)
        const { document, ...settings } = request
        const documentHash = createHash('sha256').update(document).digest('hex')
        const change = {
          action: 'product-add',
          target: request.id,
          after: hashOf(factsOf(settings, documentHash)),
        } as const
        return productView(await recorded(parts, change, () => products.add(request)), 'admin')
      },
    }),
    lifeRoute(parts),
    defineRoute({
      method: 'DELETE',
      path: '/v1/products/{id}',
      tag: 'products',
      summary: 'Stops offering a product that was added over the API',
      status: 204,
      parameters,
      problems: ['product-unknown', 'already-exists'],
      async answer({ path: { id } }) {
        const known = products.get(id)
        if (known === undefined) return products.remove(id)
        const before = hashOf(factsOf(known.settings, known.document.hash))
        const change = { action: 'product-remove', target: id, before } as const
        return recorded(parts, change, () => products.remove(id))
      },
    }),
  ]
}

function lifeRoute(parts: AdminParts): AdminRoute {
  const { products } = parts
  return defineRoute({
    method: 'POST',
    path: '/v1/products/{id}',
    tag: 'products',
    summary:
      'Says when a version that was added over the API ends, and what follows it; what is not said is said no more',
    parameters,
    body: lifeSchema,
    result: productSchema,
    problems: ['product-unknown', 'already-exists'],
    async answer({ path: { id }, body }) {
      const known = products.get(id)
      if (known === undefined) throw new Problem('product-unknown', 'nothing is offered under this id')
      const { deprecated: _, sunset: __, successor: ___, ...settings } = known.settings
      const { hash } = known.document
      const before = hashOf(factsOf(known.settings, hash))
      const change = {
        action: 'product-life',
        target: id,
        before,
        after: hashOf(factsOf({ ...settings, ...body }, hash)),
      } as const
      return productView(await recorded(parts, change, () => products.setLife(id, body)), 'admin')
    },
  })
}
