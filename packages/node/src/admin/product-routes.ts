/** `/v1/products`: what this node offers. */
import { createHash } from 'node:crypto'
import { hashOf, recorded } from './changes.ts'
import type { AdminParts, ProductSettings } from './ports.ts'
import type { AdminRoute } from './routing.ts'
import { productView } from './views.ts'

/** An OpenAPI document, JSON-encoded, and the settings around it. */
const maxBodyBytes = 16 * 1024 * 1024

/** What the hash of a product is over: of the fields that go upstream only the names, since values are credentials. */
function factsOf({ upstreamHeaders, ...settings }: ProductSettings, documentHash: string) {
  return { ...settings, upstreamHeaders: Object.keys(upstreamHeaders).toSorted(), documentHash }
}

/** Routes of products. A product of the configuration cannot be removed here. */
export function productRoutes(parts: AdminParts): AdminRoute[] {
  const { products } = parts
  return [
    {
      method: 'GET',
      path: '/v1/products',
      answer: () => products.list().map(({ product, declaredIn }) => productView(product, declaredIn)),
    },
    {
      method: 'POST',
      path: '/v1/products',
      status: 201,
      maxBodyBytes,
      async answer({ body }) {
        const request = products.parse(body)
        const { document, ...settings } = request
        const documentHash = createHash('sha256').update(document).digest('hex')
        const after = hashOf(factsOf(settings, documentHash))
        const change = { action: 'product-add', target: request.id, after } as const
        return productView(await recorded(parts, change, () => products.add(request)), 'admin')
      },
    },
    {
      method: 'DELETE',
      path: '/v1/products/{id}',
      status: 204,
      async answer({ path: { id = '' } }) {
        const known = products.get(id)
        if (known === undefined) return products.remove(id)
        const before = hashOf(factsOf(known.settings, known.document.hash))
        const change = { action: 'product-remove', target: id, before } as const
        return recorded(parts, change, () => products.remove(id))
      },
    },
  ]
}
