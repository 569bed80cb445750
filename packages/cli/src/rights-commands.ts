/** The part of the tree that is about people's rights: `comity rights`, `comity duties`. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { ContextOf } from './consent-commands.ts'

const rightsTypes = ['access', 'rectify', 'erase', 'restrict', 'port', 'object']
const dutyOutcomes = [
  'deleted',
  'anonymised',
  'rectified',
  'restricted',
  'lifted',
  'stopped',
  'handed-over',
  'none-held',
  'retained',
  'refused',
]
const loadRights = () => import('./commands/rights.ts')
const loadDuties = () => import('./commands/duties.ts')

function limit(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 1_000) return Number(text)
  throw new InvalidArgumentError('must be a whole number from 1 to 1000')
}

export function addRights(program: Command, context: ContextOf): void {
  const rights = program.command('rights').description('what people ask about their data, and who has answered')
  addAsked(rights, context)
  addAnswers(rights, context)
}

function addAsked(rights: Command, context: ContextOf): void {
  rights
    .command('open <type> <reference>')
    .description('enter what a person asked, by the name your systems know them by')
    .option('--product <id...>', 'only what these products hold')
    .option('--consent <id...>', 'only under these consents')
    .option('--correct <field=value...>', 'what is wrong and how it is right, for `rectify`; the value as JSON or text')
    .option('--message <text>', 'the person’s own words')
    .action(async (type: string, reference: string, options: object) =>
      (await loadRights()).openRequest(context(), { type, reference, ...options } as never),
    )
    .addHelpText('after', `\nTypes: ${rightsTypes.join(', ')}`)
  rights
    .command('list')
    .description('the requests, newest first, with their due dates')
    .option('--open', 'only those that are not closed', false)
    .option('--reference <reference>', 'only those of this person')
    .option('--limit <count>', 'how many', limit, 50)
    .action(async (options: object) => (await loadRights()).listRequests(context(), options as never))
  rights
    .command('show <id>')
    .description('one request: what was asked, who has answered and who has not, as JSON')
    .action(async (id: string) => (await loadRights()).showRequest(context(), id))
}

function addAnswers(rights: Command, context: ContextOf): void {
  rights
    .command('report <id>')
    .description('what one of your systems did; it counts once, and the last report closes the request')
    .requiredOption('--product <id>', 'the product whose system it is')
    .addOption(new Option('--refused', 'it will not do it; with `--ground`').default(false))
    .option('--ground <text>', 'why not, or by which law, with `--refused`; the person reads it')
    .option(
      '--data <file>',
      'JSON file with all that the system has of the person; for `access` and `port`, unless `--no-data`',
    )
    .option('--no-data', 'the system has nothing of the person; for `access` and `port`')
    .action(async (id: string, options: object) => (await loadRights()).reportStore(context(), id, options as never))
  rights
    .command('extend <id>')
    .description('take two months more, once; the person is told why')
    .requiredOption('--reason <text>', 'why; the person reads it')
    .action(async (id: string, { reason }: { reason: string }) =>
      (await loadRights()).extendRequest(context(), id, reason),
    )
  rights
    .command('lift <id>')
    .description('end a restriction: its consents come back, everyone who restricted is told')
    .action(async (id: string) => (await loadRights()).liftRestriction(context(), id))
  rights
    .command('bundle <id>')
    .description('the signed answer to a request that is closed, whatever it was closed as')
    .option('-o, --out <file>', 'where to write it; standard output unless given')
    .action(async (id: string, options: object) => (await loadRights()).writeBundle(context(), id, options as never))
}

export function addDuties(program: Command, context: ContextOf): void {
  const duties = program
    .command('duties')
    .description('what partners owe you about people’s data, and what you owe them')
  duties
    .command('list')
    .description('the duties, newest first')
    .addOption(new Option('--side <side>', 'imposed on others, or owed by you').choices(['imposed', 'owed']))
    .addOption(new Option('--state <state>', 'only those in this state').choices(['open', 'done', 'refused']))
    .option('--overdue', 'only what is late', false)
    .option('--consent <id>', 'only those of this consent')
    .option('--limit <count>', 'how many', limit, 50)
    .action(async (options: object) => (await loadDuties()).listDuties(context(), options as never))
  duties
    .command('show <id>')
    .description('one duty, with its receipt, as JSON')
    .action(async (id: string) => (await loadDuties()).showDuty(context(), id))
  duties
    .command('report <id>')
    .description('say that you did what you owed, or why not: the receipt is signed and sent')
    .addOption(new Option('--outcome <outcome>', 'what was done').choices(dutyOutcomes).makeOptionMandatory())
    .option('--ground <text>', 'why not, or by which law: needed with `refused` and `retained`; name nobody in it')
    .action(async (id: string, options: object) => (await loadDuties()).reportDuty(context(), id, options as never))
}
