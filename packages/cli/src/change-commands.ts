/** The part of the tree that changes a client or a key: `comity clients set`, `comity api-keys set`. */
import { Option, type Command } from 'commander'
import type { ContextOf } from './consent-commands.ts'
import { days, keyValue } from './key-values.ts'
import { moment } from './moment.ts'

const load = () => import('./commands/key-settings.ts')

export function addSetClient(clients: Command, context: ContextOf): void {
  clients
    .command('set <id>')
    .description('change what is given of a client; the rest stays')
    .option('--name <name>', 'for people')
    .option('--owner <owner>', 'who answers for it')
    .option('--label <name=value>', 'its labels, in place of those it has; several times', keyValue)
    .option('--rotate-every <days>', 'rotate its keys when they are so old', days)
    .option('--overlap <days>', 'how long old and new key both work', days)
    .option('--warn-before <days>', 'how long before its end a key is reported', days)
    .option('--disable-unused-after <days>', 'disable a key that nobody uses for so long', days)
    .option('--self-renewal', 'it may fetch its next key itself')
    .option('--no-self-renewal', 'it may not')
    .addOption(
      new Option('--retire <when>', 'end old keys at the sunset, or when nobody uses them').choices([
        'scheduled',
        'when-moved',
      ]),
    )
    .option('--quiet-seconds <seconds>', 'how long an old key must not have been used', Number)
    .addOption(
      new Option('--remove <entry...>', 'take these away').choices([
        'owner',
        'label',
        'rotate-every',
        'disable-unused-after',
      ]),
    )
    .action(async (id: string, options: object) => (await load()).setClient(context(), id, options as never))
}

export function addSetKey(keys: Command, context: ContextOf): void {
  keys
    .command('set <key>')
    .description('change what is given of a key, for the very next call; the rest stays')
    .option(
      '--product <id...>',
      'only these products, in place of those it has; so with all that may come several times',
    )
    .option('--operation <product/operation...>', 'only these operations')
    .option('--field <path...>', 'only these fields of answers')
    .option('--network <cidr...>', 'only from these networks; an address alone is a network of one')
    .option('--expires <time>', 'end of the key and of all that succeed it, e.g. 2027-03-01', moment)
    .option('--lifetime-days <days>', 'how long each key of the line is good', days)
    .option('--owner <owner>', 'who answers for it')
    .option('--label <name=value>', 'its labels, in place of those it has; several times', keyValue)
    .addOption(
      new Option('--remove <entry...>', 'take these away: a key without a network is taken from everywhere').choices([
        'product',
        'operation',
        'field',
        'network',
        'expires',
        'lifetime-days',
        'owner',
        'label',
      ]),
    )
    .action(async (key: string, options: object) => (await load()).setKeyTerms(context(), key, options as never))
}
