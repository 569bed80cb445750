/** The part of the tree that is about where clients are told of themselves: `comity clients webhooks`. */
import { clientEventTypes } from '@comity/core/events/client-events'
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { ContextOf } from './consent-commands.ts'

const load = () => import('./commands/client-webhooks.ts')

function hours(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 720) return Number(text)
  throw new InvalidArgumentError('must be a whole number of hours up to 720')
}

export function addClientWebhooks(clients: Command, context: ContextOf): void {
  const webhooks = clients.command('webhooks').description('where a client is told of its own keys and quotas')
  webhooks
    .command('add <client> <url>')
    .description('tell a client at this address; the secret is printed this once')
    .addOption(new Option('--event <type...>', 'only of these').choices([...clientEventTypes]))
    .option('--ed25519', 'sign with a key pair: the client gets the public key, and can verify and not sign', false)
    .option('--fingerprint <sha256...>', 'pins of its TLS key; without, a public authority must vouch for it')
    .action(async (client: string, url: string, options: object) =>
      (await load()).addWebhook(context(), { client, url }, options as never),
    )
  webhooks
    .command('list <client>')
    .description('the webhooks of a client; never a secret')
    .action(async (client: string) => (await load()).listWebhooks(context(), client))
  webhooks
    .command('secret <client> <webhook>')
    .description('make another secret; until the former ends, messages have a signature by each')
    .option('--overlap <hours>', 'how long both sign; 24 unless given, 0 when the former has leaked', hours, 24)
    .action(async (client: string, webhook: string, { overlap }: { overlap: number }) =>
      (await load()).replaceSecret(context(), { client, webhook }, overlap),
    )
  webhooks
    .command('test <client> <webhook>')
    .description('send a test message there, and see how it is taken')
    .action(async (client: string, webhook: string) => (await load()).testWebhook(context(), { client, webhook }))
  webhooks
    .command('remove <client> <webhook>')
    .description('remove a webhook; what waits for it is dropped')
    .action(async (client: string, webhook: string) => (await load()).removeWebhook(context(), { client, webhook }))
}
