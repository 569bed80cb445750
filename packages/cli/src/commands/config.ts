/** `comity config check`. */
import { Problem } from '@comity/core/problems'
import type { PolicyFaultView } from '@comity/node/admin/policy-api'
import { loadConfig, type Config } from '@comity/node/config/config'
import { readEnvironment } from '@comity/node/config/environment'
import { checkDocuments } from '@comity/node/products/products'
import { withoutAlike } from '@comity/node/policy/sets/like-faults'
import { show, type CommandContext } from '../command-context.ts'
import { faultLine } from './policy-texts.ts'

/** Checks the file, then all that it names: no mistake in one place hides those in another. */
export async function checkConfig(context: CommandContext): Promise<void> {
  const config = await loadConfig(context.configFile, readEnvironment())
  const [documents, policies] = await Promise.allSettled([
    checkDocuments(config.products),
    checkPolicyFiles(context, config),
  ])
  const failed = [documents, policies].flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  if (failed.length > 0) throw joined(failed)
  const warnings = policies.status === 'fulfilled' ? policies.value : []
  const limits = await limitWarnings(context, config)
  show(context, { valid: true, file: config.file, warnings, limits }, () => [
    ...limits,
    ...withoutAlike(warnings).map((warning) => faultLine(warning, 'warning')),
    `${config.file} is valid`,
  ])
}

async function limitWarnings(context: CommandContext, config: Config): Promise<readonly string[]> {
  if (config.limits.rules.length === 0) return []
  const { checkLimitNames } = await import('./limit-names.ts')
  return checkLimitNames(context, config)
}

/** What the node would not start with, else what it would warn of. */
async function checkPolicyFiles(context: CommandContext, config: Config): Promise<readonly PolicyFaultView[]> {
  const { policy, products } = config
  if (policy?.directory === undefined) return []
  const { addedProducts } = await import('./declared-products.ts')
  const added = await addedProducts(context, config)
  const known = [...products, ...added.products.map(({ product }) => product)]
  const { checkConfiguredPolicies } = await import('./configured-policies.ts')
  return checkConfiguredPolicies(policy.directory, { products: known, unasked: added.unasked })
}

/** The only one that failed, or both with all that they list. */
function joined([first, ...others]: readonly unknown[]): unknown {
  if (others.length === 0 || !(first instanceof Problem)) return first
  const problems = [first, ...others].filter((each) => each instanceof Problem)
  const errors = problems.flatMap(({ members }) => (Array.isArray(members['errors']) ? members['errors'] : []))
  return new Problem('config-invalid', problems.map(({ message }) => message).join('\n'), { members: { errors } })
}
