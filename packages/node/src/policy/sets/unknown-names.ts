/** Warnings of masks that name what no product of this node has: a slip, or a product that is yet to come. */
import { coversDomain } from '@comity/core/consent/data-domain'
import { meets } from '@comity/core/consent/released-fields'
import type { PolicyFault, PreparedPolicy } from '../engine/policy-engine.ts'
import { readMask } from './policy-mask.ts'

interface Label {
  readonly path: string
  readonly domain?: string | undefined
}

/** One warning for each name, in the order of the policies. `labels` are those of all products. */
export function unknownNames(policies: readonly PreparedPolicy[], labels: readonly Label[]): readonly PolicyFault[] {
  return policies.flatMap(({ id, effect, annotations }) => {
    const { fields = [], domains = [], transforms = [] } = readMask(annotations, effect).mask
    const paths = [...new Set([...fields, ...transforms.map(({ path }) => path)])]
    const warn = (message: string): PolicyFault => ({ source: id, policy: id, message })
    return [
      ...paths
        .filter((path) => !labels.some((label) => meets(label.path, path)))
        .map((path) => warn(`no product has a field \`${path}\``)),
      ...domains
        .filter((domain) => !labels.some((label) => label.domain !== undefined && coversDomain(domain, label.domain)))
        .map((domain) => warn(`no product has data of the domain \`${domain}\``)),
    ]
  })
}
