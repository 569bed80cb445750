/** Tells which policies are in force, and whether those in files could be: a bad file keeps the next start from
 *  succeeding. */
import { readPolicyFiles } from '../policy/sets/policy-files.ts'
import { prepareSet, type Preparation } from '../policy/sets/prepare-set.ts'
import type { DoctorOptions, PolicyFacts } from './doctor-options.ts'
import { bad, caution, describeError, good, type Finding } from './finding.ts'

type Options = Pick<DoctorOptions, 'config' | 'running'>

export async function checkPolicies({ config, running }: Options): Promise<Finding[]> {
  const { directory } = config.policy ?? {}
  const files = directory === undefined ? [] : await checkFiles(directory, running?.policies)
  return [...files, ...(running?.policies === undefined ? [] : decidePolicies(running.policies))]
}

/** What the running node decides by. */
export function decidePolicies({ version, policies, warnings }: PolicyFacts): Finding[] {
  if (version === 0) return [good('policies', 'none: agreement and consent decide alone')]
  const inForce =
    policies === 0
      ? caution('policies', `version ${version} has no policies, so every call is denied`, 'put policies into force')
      : good('policies', `version ${version} is in force, ${policies} policies`)
  return [
    inForce,
    ...warnings.map((warning) =>
      caution(
        'policies',
        warning,
        '`comity policy show` tells where; correct it, and put the policies into force again',
      ),
    ),
  ]
}

async function checkFiles(directory: string, running: PolicyFacts | undefined): Promise<Finding[]> {
  let preparation: Preparation
  try {
    preparation = await prepareSet(await readPolicyFiles(directory))
  } catch (error) {
    return [bad('policy files', describeError(error), 'correct `policy.directory`')]
  }
  if (!preparation.ok) {
    const remedy = `\`comity policy check ${directory}\` lists every mistake; the node would not start with them`
    return [bad('policy files', `${preparation.faults.length} mistakes in ${directory}`, remedy)]
  }
  const { hash, policies } = preparation.set
  if (running === undefined || running.hash === hash) {
    return [good('policy files', `${policies.length} policies in ${directory}`)]
  }
  return [caution('policy files', 'the files say something else than what is in force', 'run `comity policy reload`')]
}
