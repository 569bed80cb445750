/** The part of the tree that is about the operator's own systems: `comity webhooks`. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { ContextOf } from './consent-commands.ts'

const loadWebhooks = () => import('./commands/webhooks.ts')

function limit(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 1_000) return Number(text)
  throw new InvalidArgumentError('must be a whole number from 1 to 1000')
}

export function addWebhooks(program: Command, context: ContextOf): void {
  const webhooks = program.command('webhooks').description('what your own systems are told of')
  webhooks
    .command('list')
    .description('the messages, those on their way first; never what they say')
    .addOption(new Option('--state <state>', 'only these').choices(['waiting', 'dead', 'delivered', 'dropped']))
    .option('--limit <count>', 'how many', limit, 100)
    .action(async (options: object) => (await loadWebhooks()).listMessages(context(), options as never))
  webhooks
    .command('replay [id]')
    .description('send now a message that waits for its next try, or a dead letter; or all of them')
    .option('--all', 'all dead letters', false)
    .option('--waiting', 'all that wait for their next try', false)
    .option('--endpoint <url>', 'only those for this address, as the list shows it, or its origin')
    .action(async (id: string | undefined, options: object) =>
      (await loadWebhooks()).replayMessages(context(), id, options as never),
    )
  webhooks
    .command('test <url>')
    .description('send a test message to your own systems at this address, and see how they take it')
    .action(async (url: string) => (await loadWebhooks()).testSystem(context(), url))
  webhooks
    .command('secret')
    .description('make a secret to sign messages with; the receiver gets the same, or the public key that is printed')
    .option('--ed25519', 'a key pair: receivers can verify and not sign', false)
    .requiredOption('--out <file>', 'where to write the secret; the file must not be there yet')
    .action(async (options: object) => (await loadWebhooks()).makeSecret(context(), options as never))
}
