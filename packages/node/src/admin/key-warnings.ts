/** What of a key's scope reaches nothing on this node: such a key is made, since a product may follow, and refused; and
 *  what of its terms and its client's policies never counts. */
import type { Environment, KeyUse } from '@comity/core/api-keys/api-key'
import type { KeyScope } from '@comity/core/api-keys/key-scope'
import { coversField } from '@comity/core/consent/field-path'

/** One version of a product. */
export interface KeyedProduct {
  readonly id: string
  readonly operationIds: readonly string[]
  readonly keys: 'none' | KeyUse
  /** Where it is not as the node's. */
  readonly environment?: Environment | undefined
  /** Of the labelled fields that the answers of an operation may have. */
  readonly labelling: { fieldsOf(operation: string): readonly string[] }
}

export interface OfferedProducts {
  list(): readonly { readonly product: KeyedProduct }[]
}

interface Scoped {
  readonly environment: Environment
  readonly use: KeyUse
  readonly scope: KeyScope
  readonly lifetimeDays?: number | undefined
}

/** What the client's keys are rotated by. */
interface Rotated {
  readonly rotateEveryDays?: number | undefined
  readonly overlapDays: number
}

/** Sentences, one for each product, operation and field that calls with the key cannot reach. */
export function keyWarnings({ use, scope }: Omit<Scoped, 'environment'>, offered: readonly KeyedProduct[]): string[] {
  const operations = scope.operations ?? []
  const named = new Set([...(scope.products ?? []), ...operations.map(productOf)])
  const versionsOf = (id: string) => offered.filter((product) => product.id === id)
  if (named.size === 0) {
    const isUsable = offered.length === 0 || offered.some((product) => takes(product, use))
    if (isUsable) return fieldWarnings(scope, offered)
    return [`no product of this node takes a key of the use \`${use}\`: ${remedy(use)}`]
  }
  return [
    ...[...named].flatMap((id) => productWarning(id, use, versionsOf(id))),
    ...operations.flatMap((name) => operationWarning(name, versionsOf(productOf(name)))),
    ...fieldWarnings(scope, [...named].flatMap(versionsOf)),
  ]
}

/** Of a key for the other environment than everything that it reaches; `own` is the node's. */
export function environmentWarnings(
  { environment, scope }: Pick<Scoped, 'environment' | 'scope'>,
  offered: readonly KeyedProduct[],
  own: Environment,
): string[] {
  const named = new Set([...(scope.products ?? []), ...(scope.operations ?? []).map(productOf)])
  const reached = named.size === 0 ? offered : offered.filter(({ id }) => named.has(id))
  // A partner's product is called through this node.
  const isElsewhere = named.size === 0 || [...named].some((id) => reached.every((product) => product.id !== id))
  const environments = [...(isElsewhere ? [own] : []), ...reached.map((product) => product.environment ?? own)]
  if (environments.includes(environment)) return []
  return [
    `what the key reaches on this node is \`${environment === 'live' ? 'test' : 'live'}\`: a \`${environment}\` key is ` +
      `refused there (\`key-environment\`)`,
  ]
}

/** Of a lifetime that ends before the client's policy would rotate its keys. */
export function lifetimeWarnings(
  { lifetimeDays }: Pick<Scoped, 'lifetimeDays'>,
  { rotateEveryDays = 0, overlapDays }: Rotated,
): string[] {
  if (lifetimeDays === undefined || lifetimeDays > rotateEveryDays) return []
  const before = Math.min(overlapDays, lifetimeDays / 2)
  return [
    `each key is good for ${lifetimeDays} days, so \`rotateEveryDays\` (${rotateEveryDays}) of the client never counts: ` +
      `each is rotated ${before} days before it ends`,
  ]
}

/** The warnings as a member of an answer, where there are some. */
export function warned(
  key: Scoped,
  known: { readonly products: OfferedProducts; readonly policies: Rotated; readonly environment: Environment },
): { readonly warnings?: string[] } {
  const offered = known.products.list().map(({ product }) => product)
  const warnings = [
    ...environmentWarnings(key, offered, known.environment),
    ...keyWarnings(key, offered),
    ...lifetimeWarnings(key, known.policies),
  ]
  return warnings.length === 0 ? {} : { warnings }
}

const productOf = (operation: string) => operation.slice(0, operation.indexOf('/'))
const remedy = (use: KeyUse) =>
  `its declaration needs ${use === 'plain' ? '`keys: plain`' : '`keys: hmac` or `keys: plain`'}`
const takes = ({ keys }: KeyedProduct, use: KeyUse) => keys !== 'none' && (keys === 'plain' || use === 'hmac')

function productWarning(id: string, use: KeyUse, versions: readonly KeyedProduct[]): string[] {
  if (versions.length === 0)
    return [`this node offers no product \`${id}\` itself: the key reaches only a partner's of this name`]
  if (versions.some((version) => takes(version, use))) return []
  const what = versions.every(({ keys }) => keys === 'none') ? 'no API keys' : 'API keys only of the use `hmac`'
  return [`the product \`${id}\` takes ${what}: ${remedy(use)}`]
}

function operationWarning(name: string, versions: readonly KeyedProduct[]): string[] {
  const operation = name.slice(name.indexOf('/') + 1)
  if (versions.length === 0 || versions.some(({ operationIds }) => operationIds.includes(operation))) return []
  return [`the product \`${productOf(name)}\` has no operation \`${operation}\``]
}

/** Of fields that no operation within the scope has. */
function fieldWarnings({ fields = [], operations }: KeyScope, versions: readonly KeyedProduct[]): string[] {
  if (versions.length === 0) return []
  const known = versions.flatMap(({ id, operationIds, labelling }) => {
    const reached = operationIds.filter((operation) => operations?.includes(`${id}/${operation}`) !== false)
    return reached.flatMap((operation) => labelling.fieldsOf(operation))
  })
  const isKnown = (path: string) => known.some((field) => coversField(path, field) || coversField(field, path))
  return fields
    .filter((path) => !isKnown(path))
    .map((path) => `no operation that the key reaches has a labelled field \`${path}\``)
}
