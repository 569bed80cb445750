/** The policies in the directory that a configuration names, against the products that it declares. */
import { join, relative } from 'node:path'
import { Problem } from '@comity/core/problems'
import type { PolicyFaultView } from '@comity/node/admin/policy-api'
import { configuredNames } from '@comity/node/assembly/known-names'
import type { Config } from '@comity/node/config/config'
import { readPolicyFiles } from '@comity/node/policy/sets/policy-files'
import { prepareSet } from '@comity/node/policy/sets/prepare-set'
import { unknownNames } from '@comity/node/policy/sets/unknown-names'
import { faultLine } from './policy-texts.ts'

/** The warnings. Throws `policy-invalid` that lists every fault, one a line with its file. */
export async function checkConfiguredPolicies(
  directory: string,
  products: Config['products'],
): Promise<readonly PolicyFaultView[]> {
  const preparation = await prepareSet(await readPolicyFiles(directory))
  const placed = (fault: PolicyFaultView): PolicyFaultView => ({
    ...fault,
    source: join(shown(directory), fault.source),
  })
  if (!preparation.ok) throw faultsProblem(preparation.faults.map(placed))
  const { policies, warnings } = preparation.set
  return [...warnings, ...unknownNames(policies, configuredNames(products))].map(placed)
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
