/** The policies in the directory that a configuration names, against the products that it declares and those that were
 *  added to the running node. */
import { join, relative } from 'node:path'
import { Problem } from '@comity/core/problems'
import type { PolicyFaultView } from '@comity/node/admin/policy-api'
import { configuredNames } from '@comity/node/assembly/known-names'
import { readPolicyFiles } from '@comity/node/policy/sets/policy-files'
import { prepareSet } from '@comity/node/policy/sets/prepare-set'
import { unknownNames } from '@comity/node/policy/sets/unknown-names'
import { faultLine } from './policy-texts.ts'

export interface KnownProducts {
  readonly products: Parameters<typeof configuredNames>[0]
  /** Why there may be more products; undefined when there are none. */
  readonly unasked: string | undefined
}

/** The warnings. Throws `policy-invalid` that lists every fault, one a line with its file. */
export async function checkConfiguredPolicies(
  directory: string,
  { products, unasked }: KnownProducts,
): Promise<readonly PolicyFaultView[]> {
  const preparation = await prepareSet(await readPolicyFiles(directory))
  const placed = (fault: PolicyFaultView): PolicyFaultView => ({
    ...fault,
    source: join(shown(directory), fault.source),
  })
  if (!preparation.ok) throw faultsProblem(preparation.faults.map(placed))
  const { policies, warnings } = preparation.set
  const unknown = unknownNames(policies, configuredNames(products)).map((warning) => withDoubt(warning, unasked))
  return [...warnings, ...unknown].map(placed)
}

/** Where the node could not be asked, what is said of products may be wrong of those that were added to it. */
function withDoubt(warning: PolicyFaultView, unasked: string | undefined): PolicyFaultView {
  if (unasked === undefined || !/^there is no product|^no product has/.test(warning.message)) return warning
  return { ...warning, help: warning.help === undefined ? unasked : `${warning.help} ${unasked}` }
}

/** As short as it can be written from here. */
function shown(directory: string): string {
  const short = relative('.', directory)
  return short.startsWith('..') || short === '' ? directory : short
}

function faultsProblem(faults: readonly PolicyFaultView[]): Problem {
  const count = faults.length === 1 ? 'one mistake' : `${faults.length} mistakes`
  const lines = faults.map((fault) => `  ${faultLine(fault, 'fault')}`)
  const errors = faults.map(({ source, line, policy, message }) => ({
    path: source,
    ...(line !== undefined && { line }),
    ...(policy !== undefined && { policy }),
    message,
  }))
  return new Problem('policy-invalid', [`the policies have ${count}`, ...lines].join('\n'), { members: { errors } })
}
