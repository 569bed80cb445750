/** What of a key's scope reaches nothing on this node: such a key is made, since a product may follow, and refused. */
import type { KeyUse } from '@comity/core/api-keys/api-key'
import type { KeyScope } from '@comity/core/api-keys/key-scope'

/** One version of a product. */
export interface KeyedProduct {
  readonly id: string
  readonly operationIds: readonly string[]
  readonly keys: 'none' | KeyUse
}

export interface OfferedProducts {
  list(): readonly { readonly product: KeyedProduct }[]
}

interface Scoped {
  readonly use: KeyUse
  readonly scope: Pick<KeyScope, 'products' | 'operations'>
}

/** Sentences, one for each product and operation that calls with the key cannot reach. */
export function keyWarnings({ use, scope }: Scoped, offered: readonly KeyedProduct[]): string[] {
  const operations = scope.operations ?? []
  const named = new Set([...(scope.products ?? []), ...operations.map(productOf)])
  const versionsOf = (id: string) => offered.filter((product) => product.id === id)
  if (named.size === 0) {
    const isUsable = offered.length === 0 || offered.some((product) => takes(product, use))
    return isUsable ? [] : [`no product of this node takes a key of the use \`${use}\`: ${remedy(use)}`]
  }
  return [
    ...[...named].flatMap((id) => productWarning(id, use, versionsOf(id))),
    ...operations.flatMap((name) => operationWarning(name, versionsOf(productOf(name)))),
  ]
}

/** The warnings as a member of an answer, where there are some. */
export function warned(key: Scoped, products: OfferedProducts): { readonly warnings?: string[] } {
  const warnings = keyWarnings(
    key,
    products.list().map(({ product }) => product),
  )
  return warnings.length === 0 ? {} : { warnings }
}

const productOf = (operation: string) => operation.slice(0, operation.indexOf('/'))
const remedy = (use: KeyUse) =>
  `its declaration needs ${use === 'plain' ? '`keys: plain`' : '`keys: hmac` or `keys: plain`'}`
const takes = ({ keys }: KeyedProduct, use: KeyUse) => keys !== 'none' && (keys === 'plain' || use === 'hmac')

function productWarning(id: string, use: KeyUse, versions: readonly KeyedProduct[]): string[] {
  if (versions.length === 0) return [`this node offers no product \`${id}\``]
  if (versions.some((version) => takes(version, use))) return []
  const what = versions.every(({ keys }) => keys === 'none') ? 'no API keys' : 'API keys only of the use `hmac`'
  return [`the product \`${id}\` takes ${what}: ${remedy(use)}`]
}

function operationWarning(name: string, versions: readonly KeyedProduct[]): string[] {
  const operation = name.slice(name.indexOf('/') + 1)
  if (versions.length === 0 || versions.some(({ operationIds }) => operationIds.includes(operation))) return []
  return [`the product \`${productOf(name)}\` has no operation \`${operation}\``]
}
