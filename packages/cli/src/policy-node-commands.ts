/** The part of the tree that is about the policies of a running node: `comity policy put` and others, `comity
 *  relationships`. */
import { InvalidArgumentError, type Command } from 'commander'
import type { ContextOf } from './consent-commands.ts'

const loadPolicies = () => import('./commands/policies.ts')
const loadRelationships = () => import('./commands/relationships.ts')

function count(least: number, most: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text)
    throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}`)
  }
}

const version = count(0, Number.MAX_SAFE_INTEGER)

/** Below `comity policy`. */
export function addNodePolicies(policy: Command, context: ContextOf): void {
  policy
    .command('put <place>')
    .description('put the policies of a file, or of every *.cedar file below a directory, into force')
    .option(
      '--expected <version>',
      'the version they are to replace, 0 for none; refused when another is in force',
      version,
    )
    .option('--note <text>', 'why, for those who read the versions later')
    .action(async (place: string, options: object) => (await loadPolicies()).putPolicies(context(), place, options))
  policy
    .command('show [version]')
    .description('the policies in force, or those of a former version')
    .action(async (which: string | undefined) =>
      (await loadPolicies()).showPolicies(context(), which === undefined ? undefined : version(which)),
    )
  policy
    .command('versions')
    .description('the sets that were in force, newest first')
    .option('--limit <count>', 'how many', count(1, 1_000), 50)
    .action(async ({ limit }: { limit: number }) => (await loadPolicies()).listVersions(context(), limit))
  policy
    .command('reload')
    .description('take over what the files of `policy.directory` say now')
    .action(async () => (await loadPolicies()).reloadPolicies(context()))
  addReview(policy, context)
}

function addReview(policy: Command, context: ContextOf): void {
  policy
    .command('explain <exchange>')
    .description('why a call was allowed or denied: each policy, and which of its conditions held')
    .action(async (exchange: string) => (await loadPolicies()).explainDecision(context(), exchange))
  policy
    .command('diff <place>')
    .description('what the policies of a file or directory would have decided otherwise; exit code 1 when anything')
    .option('--last <count>', 'over how many of the newest calls', count(1, 100_000), 1_000)
    .action(async (place: string, { last }: { last: number }) =>
      (await loadPolicies()).diffPolicies(context(), place, last),
    )
}

export function addRelationships(program: Command, context: ContextOf): void {
  const relationships = program
    .command('relationships')
    .description('who is in which group, and what somebody is to a person, for policies to look at')
    .addHelpText(
      'after',
      '\nA relationship is written like Group::"nurses"#member@Human::"did:web:clinic.example/nurse-17",\nor person:4711#physician@Participant::"did:web:clinic.example" with the name your systems know the person by.',
    )
  relationships
    .command('add <relationship>')
    .description('from now on it holds')
    .action(async (text: string) => (await loadRelationships()).addRelationship(context(), text))
  relationships
    .command('remove <relationship>')
    .description('from now on it does not hold')
    .action(async (text: string) => (await loadRelationships()).removeRelationship(context(), text))
  relationships
    .command('list')
    .description('the relationships, in the order in which they were added')
    .option('--group <id>', 'only the members of this group')
    .option('--person <reference>', 'only what somebody is to this person')
    .option('--relation <name>', 'only this relation')
    .option('--after <id>', 'from behind this one')
    .option('--limit <count>', 'how many', count(1, 1_000), 100)
    .action(async (options: object) => (await loadRelationships()).listRelationships(context(), options as never))
}
