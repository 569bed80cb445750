/** The part of the tree that is about how much is called: `comity usage`. */
import { Option, type Command } from 'commander'
import type { ContextOf } from './consent-commands.ts'

const loadUsage = () => import('./commands/usage.ts')

export function addUsage(program: Command, context: ContextOf): void {
  const usage = program
    .command('usage')
    .description('how much was called, by whom and of whom; never about whom')
    .option('--by <what>', 'participant, client, key, product, operation, hour, day; several with commas', 'product')
    .addOption(
      new Option('--side <side>', 'calls to this node’s products, or of its applications to partners')
        .choices(['holder', 'recipient'])
        .default('holder'),
    )
    .option('--from <time>', 'since then; 30 days ago unless given, e.g. 2026-03-01T00:00:00Z')
    .option('--to <time>', 'before then; until now unless given')
    .option('--participant <partner>', 'only of this partner, by alias or DID')
    .option('--client <id>', 'only of this client')
    .option('--key <id>', 'only with this key')
    .option('--product <id>', 'only of this product')
    .option('--operation <id>', 'only of this operation')
    .option('--csv', 'as comma-separated values (RFC 4180)', false)
    .action(async (options: object) => (await loadUsage()).showUsage(context(), options as never))
  usage
    .command('forecast')
    .description('when quotas will be used up, and how wrong such forecasts were')
    .action(async () => (await loadUsage()).showForecast(context()))
}
