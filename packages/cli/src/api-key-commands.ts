/** The part of the tree that is about clients and their API keys: `comity clients`, `comity api-keys`. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { addClientWebhooks } from './client-webhook-commands.ts'
import { addSetClient, addSetKey } from './change-commands.ts'
import type { ContextOf } from './consent-commands.ts'
import { days, keyValue as label } from './key-values.ts'
import { moment } from './moment.ts'

const loadClients = () => import('./commands/clients.ts')
const loadKeys = () => import('./commands/api-keys.ts')

function limit(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 1_000) return Number(text)
  throw new InvalidArgumentError('must be a whole number from 1 to 1000')
}

export function addClients(program: Command, context: ContextOf): void {
  const clients = program
    .command('clients')
    .description('who holds API keys: applications, services of partners, devices')
  clients
    .command('add <id>')
    .description('add a client')
    .option('--name <name>', 'for people; the id unless given')
    .addOption(
      new Option('--kind <kind>', 'what it is').choices(['application', 'service', 'device']).default('application'),
    )
    .option('--owner <owner>', 'who answers for it')
    .option('--participant <partner>', 'the partner whose client it is, by alias or DID')
    .option('--label <name=value>', 'a label; several times', label)
    .option('--rotate-every <days>', 'rotate its keys when they are so old', days)
    .option('--overlap <days>', 'how long old and new key both work; 14 unless given', days)
    .option('--warn-before <days>', 'how long before its end a key is reported; 14 unless given', days)
    .option('--disable-unused-after <days>', 'disable a key that nobody uses for so long', days)
    .option('--no-self-renewal', 'it may not fetch its next key itself')
    .option('--webhook <url>', 'where it is told of its own keys and quotas; the secret is printed this once')
    .action(async (id: string, options: object) => (await loadClients()).addClient(context(), id, options as never))
  clients
    .command('list')
    .description('the clients')
    .action(async () => (await loadClients()).listClients(context()))
  clients
    .command('show <id>')
    .description('one client, its policies and its keys')
    .action(async (id: string) => (await loadClients()).showClient(context(), id))
  clients
    .command('remove <id>')
    .description('remove a client and revoke all its keys, for the very next call; its id is never free again')
    .option('--yes', 'also where keys of it still work', false)
    .action(async (id: string, options: { yes: boolean }) => (await loadClients()).removeClient(context(), id, options))
  addSetClient(clients, context)
  addClientWebhooks(clients, context)
}

export function addApiKeys(program: Command, context: ContextOf): void {
  const keys = program
    .command('api-keys')
    .description(
      'the API keys of clients; one is named by its id, its name, or the key itself, whose secret is not sent',
    )
  addIssue(keys, context)
  keys
    .command('list')
    .description('the keys: state, end, last use; never a secret')
    .option('--client <id>', 'only of this client')
    .addOption(new Option('--state <state>', 'only these').choices(['active', 'disabled', 'revoked', 'retired']))
    .option('--label <name=value>', 'only with this label; several times', label)
    .option('--wide', 'scope, networks, owner and labels too', false)
    .option('--after <id>', 'from behind this one')
    .option('--limit <count>', 'how many', limit, 100)
    .action(async (options: object) => (await loadKeys()).listKeys(context(), options as never))
  keys
    .command('show <key>')
    .description('one key as JSON: scope, networks, state, when and from where it was used last')
    .action(async (id: string) => (await loadKeys()).showKey(context(), id))
  keys
    .command('revoke <key>')
    .description('end a key for good, for the very next call, with all that was claimed with it')
    .option('--reason <words>', 'for the log')
    .option('--keep-claimed', 'let keys go on that were claimed with it', false)
    .action(async (id: string, options: object) => (await loadKeys()).revokeKey(context(), id, options as never))
  for (const [name, description] of [
    ['disable', 'refuse a key until it is enabled again'],
    ['enable', 'take a disabled key again'],
  ] as const) {
    keys
      .command(`${name} <key>`)
      .description(description)
      .option('--reason <words>', 'for the log')
      .action(async (id: string, options: object) => (await loadKeys()).setKey(context(), { id, to: name }, options))
  }
  addSetKey(keys, context)
  addRotations(keys, context)
}

function addIssue(keys: Command, context: ContextOf): void {
  keys
    .command('issue <client>')
    .description('make a key; it is printed this once')
    .addOption(new Option('--environment <name>', 'the node’s own unless given').choices(['live', 'test']))
    .addOption(new Option('--use <use>', 'presented as it is, or to sign requests with').choices(['plain', 'hmac']))
    .option('--product <id...>', 'only these products')
    .option('--operation <product/operation...>', 'only these operations')
    .option('--field <path...>', 'only these fields of answers')
    .option('--network <cidr...>', 'only from these networks')
    .option('--not-before <time>', 'valid from, e.g. 2026-03-01', moment)
    .option('--expires <time>', 'end of the key and of all that succeed it, e.g. 2027-03-01', moment)
    .option('--lifetime-days <days>', 'how long each key of the line is good', days)
    .option('--owner <owner>', 'the client’s unless given')
    .option('--label <name=value>', 'a label; several times', label)
    .option('--sequence', 'of `hmac`: every call must carry a rising number', false)
    .action(async (client: string, options: object) => (await loadKeys()).issueKey(context(), client, options as never))
}

function addRotations(keys: Command, context: ContextOf): void {
  keys
    .command('rotate <key>')
    .description('begin a rotation: a successor, both work, the old key ends')
    .option('--starts-at <time>', 'when both begin to work, e.g. 2026-03-01; now unless given', moment)
    .option('--overlap <days>', 'how long both work; as the client’s policies say unless given', days)
    .option('--sunset <time>', 'instead of --overlap: when the old key ends, e.g. 2026-03-15', moment)
    .addOption(
      new Option('--retire <when>', 'at the sunset, or from then on when nobody uses the old key').choices([
        'scheduled',
        'when-moved',
      ]),
    )
    .option('--quiet-seconds <seconds>', 'how long the old key must not have been used', Number)
    .option('--claim', 'make no successor: the client fetches it itself', false)
    .action(async (id: string, options: object) => (await loadKeys()).rotateKey(context(), id, options as never))
  keys
    .command('rotations [id]')
    .description('the rotations; of one, who still uses the old key')
    .option('--client <id>', 'only of this client')
    .option('--running', 'only those that have not ended', false)
    .option('--after <id>', 'from behind this one')
    .option('--limit <count>', 'how many', limit, 100)
    .action(async (id: string | undefined, options: object) =>
      id === undefined
        ? (await loadKeys()).listRotations(context(), options as never)
        : (await loadKeys()).showRotation(context(), id),
    )
  keys
    .command('complete <rotation>')
    .description('retire the old key of a rotation now')
    .option('--yes', 'also where the old key is still used, or its successor never was', false)
    .action(async (id: string, options: { yes: boolean }) =>
      (await loadKeys()).completeRotation(context(), id, options),
    )
  for (const [name, description] of [
    ['start', 'let both keys of a rotation work now, before the time that was planned'],
    ['roll-back', 'revoke the successor; the old key is as before'],
  ] as const) {
    keys
      .command(`${name} <rotation>`)
      .description(description)
      .action(async (id: string) => (await loadKeys()).moveRotation(context(), id, name))
  }
  keys
    .command('successor <rotation>')
    .description('make a successor, or another one instead of one that was never used; it is printed this once')
    .action(async (id: string) => (await loadKeys()).makeSuccessor(context(), id))
}
