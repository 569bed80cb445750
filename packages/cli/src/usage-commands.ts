/** The part of the tree that is about how much is called, and may be: `comity usage`, `comity quotas`. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { ContextOf } from './consent-commands.ts'
import { moment } from './moment.ts'

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
    .option('--from <time>', 'since then, e.g. 2026-03-01; 30 days ago unless given', moment)
    .option('--to <time>', 'before then; until now unless given', moment)
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

const loadQuotas = () => import('./commands/quotas.ts')

function units(text: string): number {
  if (/^\d{1,12}$/.test(text) && Number(text) >= 1) return Number(text)
  throw new InvalidArgumentError('must be a whole number from 1 on')
}

const stateOption = () =>
  new Option('--state <state>', 'only these').choices(['asked', 'granted', 'refused', 'withdrawn'])

export function addQuotas(program: Command, context: ContextOf): void {
  const quotas = program.command('quotas').description('quotas: how they stand, and higher ones: asked, decided, told')
  quotas
    .command('ask <partner>')
    .description('ask a partner for a higher quota')
    .requiredOption('--limit <name>', 'as its answers name it in RateLimit-Policy')
    .requiredOption('--units <count>', 'how many units', units)
    .addOption(new Option('--per <period>', 'of which period').choices(['day', 'month']).makeOptionMandatory())
    .requiredOption('--reason <text>', 'for the operator who decides')
    .option('--product <id>', 'for this product only')
    .action(async (partner: string, options: object) =>
      (await loadQuotas()).askQuota(context(), partner, options as never),
    )
  quotas
    .command('list')
    .description('what this node asked of partners, newest first')
    .addOption(stateOption())
    .action(async (options: object) => (await loadQuotas()).listAsks(context(), options as never))
  quotas
    .command('show <id>')
    .description('how one of them stands, as JSON; the partner is asked while it is open')
    .action(async (id: string) => (await loadQuotas()).showAsk(context(), id))
  quotas
    .command('count <limit> <of>')
    .description('how much of a quota is used, e.g. count monthly participant=did:web:lab.example')
    .action(async (limit: string, of: string) => (await loadQuotas()).showCount(context(), limit, of))
  quotas
    .command('reset <limit> <of>')
    .description('begin a count anew: nothing of the quota is used')
    .action(async (limit: string, of: string) => (await loadQuotas()).resetCount(context(), limit, of))
  quotas
    .command('requests')
    .description('what others ask of this node, newest first')
    .addOption(stateOption())
    .action(async (options: object) => (await loadQuotas()).listRequests(context(), options as never))
  quotas
    .command('grant <id>')
    .description('grant a request, from the next call on; who asked is told')
    .option('--units <count>', 'other than asked for', units)
    .option('--until <time>', 'until then, e.g. 2026-06-01; 30 days unless given', moment)
    .option('--note <text>', 'for who asked to read')
    .action(async (id: string, options: object) => (await loadQuotas()).grantRequest(context(), id, options as never))
  quotas
    .command('refuse <id>')
    .description('refuse a request; who asked is told')
    .option('--note <text>', 'for who asked to read')
    .action(async (id: string, options: object) => (await loadQuotas()).refuseRequest(context(), id, options as never))
  quotas
    .command('withdraw <id>')
    .description('end a grant before its time, from the next call on; who asked is told')
    .option('--until <time>', 'not at once but then, earlier than it would end', moment)
    .option('--note <text>', 'for who asked to read')
    .action(async (id: string, options: object) => (await loadQuotas()).withdrawGrant(context(), id, options as never))
}
