/** The names that policies may speak of: those of this node's products, partners and groups. */
import { nearestName } from '../config/nearest-name.ts'
import type { KnownNames } from '../policy/sets/unknown-names.ts'
import { labelsOf } from '../products/labels/field-labels.ts'
import type { ProductSettings } from '../products/product-config.ts'
import type { PolicyAssembly } from './late-policy.ts'

/** What a running node knows. `groups` are those that have members. */
export function knownNames(
  { catalogue, counterparts, foundation }: Pick<PolicyAssembly, 'catalogue' | 'counterparts' | 'foundation'>,
  groups: readonly string[],
): KnownNames {
  const products = catalogue.list().map(({ product }) => product)
  return {
    labels: products.flatMap(({ settings }) => labelsIn(settings)),
    products: products.map(({ id, operationIds }) => ({ id, operations: operationIds })),
    answers: products.map(({ id, labelling }) => ({ id, ...labelling })),
    groups,
    participants: [foundation.identity.did, ...counterparts.partners.list().map(({ did }) => did)],
    nearest: nearestName,
  }
}

/** What the configuration alone says: of groups and operations nothing, and of partners neither, since more may have
 *  been added. */
export function configuredNames(products: readonly (Labelled & { readonly id: string })[]): KnownNames {
  return { labels: products.flatMap(labelsIn), products: products.map(({ id }) => ({ id })), nearest: nearestName }
}

type Labelled = Partial<Pick<ProductSettings, 'personal' | 'data'>>

function labelsIn({ personal, data }: Labelled) {
  const section = personal ?? data
  return section === undefined ? [] : labelsOf(section)
}
