/** The part of the tree that is about policies: `comity policy`. */
import { Option, type Command } from 'commander'
import type { ContextOf } from './consent-commands.ts'
import { addNodePolicies } from './policy-node-commands.ts'

const loadFiles = () => import('./commands/policy-files.ts')

export function addPolicy(program: Command, context: ContextOf): void {
  const policy = program.command('policy').description('the holder’s own rules, in Cedar')
  addPolicyFiles(policy, context)
  addNodePolicies(policy, context)
}

/** What needs no running node. */
function addPolicyFiles(policy: Command, context: ContextOf): void {
  policy
    .command('schema')
    .description('print what policies may speak of: principals, actions, resources, context')
    .action(async () => (await loadFiles()).printSchema(context()))
  policy
    .command('check <place>')
    .description('list every mistake in the policies of a file, or below a directory, without a node')
    .action(async (place: string) => (await loadFiles()).checkPolicies(context(), place))
  policy
    .command('test <directory>')
    .description('run the tests (*.test.yaml) of the policies below a directory, without a node')
    .addOption(
      new Option('--engine <engine>', 'who decides: the node’s compiled engine, or Cedar’s own')
        .choices(['compiled', 'cedar'])
        .default('compiled'),
    )
    .action(async (directory: string, options: object) =>
      (await loadFiles()).testPolicies(context(), directory, options as never),
    )
}
