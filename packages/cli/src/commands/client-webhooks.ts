/** `comity clients webhooks`: where clients are told of their own keys and quotas. A secret is printed once. */
import type { WebhookTestView } from '@comity/node/admin/admin-api'
import type { ClientWebhookView, KeyedClientWebhookView } from '@comity/node/admin/client-webhook-api'
import colors from 'picocolors'
import { connect, show, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'
import { showTests } from './webhooks.ts'

const pathOf = (client: string, webhook?: string) =>
  `/v1/clients/${encodeURIComponent(client)}/webhooks${webhook === undefined ? '' : `/${encodeURIComponent(webhook)}`}`

interface Named {
  readonly client: string
  readonly webhook: string
}

export interface AddWebhookArguments {
  readonly event?: readonly string[]
  readonly ed25519: boolean
  readonly fingerprint?: readonly string[]
}

export async function addWebhook(
  context: CommandContext,
  { client, url }: { readonly client: string; readonly url: string },
  { event: events, ed25519, fingerprint: fingerprints }: AddWebhookArguments,
): Promise<void> {
  const request = { url, events, fingerprints, format: ed25519 ? 'ed25519' : 'hmac' }
  const added = await (await connect(context)).post<KeyedClientWebhookView>(pathOf(client), request)
  show(context, added, () => [
    `${client} is told at ${added.endpoint} (webhook ${added.id})`,
    ...keyLines(added),
    'A first message, `webhook.added`, is on its way; `comity webhooks list` shows whether it was taken.',
  ])
}

/** What the receiver verifies with. */
export function keyLines({ secret, publicKey }: KeyedClientWebhookView): string[] {
  if (publicKey !== undefined) return [publicKey, 'The client verifies with this public key, which is no secret.']
  return [
    secret ?? '',
    colors.yellow('This is the only time that it is shown. The client verifies with it; give it to nobody else.'),
  ]
}

export async function listWebhooks(context: CommandContext, client: string): Promise<void> {
  const webhooks = await (await connect(context)).get<ClientWebhookView[]>(pathOf(client))
  const rows = webhooks.map(({ id, endpoint, format, events }) => [id, endpoint, format, events.join(' ')])
  show(context, webhooks, () => table([['id', 'address', 'signed', 'told of'], ...rows]))
}

export async function replaceSecret(
  context: CommandContext,
  { client, webhook }: Named,
  overlapHours: number,
): Promise<void> {
  const path = `${pathOf(client, webhook)}/secret`
  const changed = await (await connect(context)).post<KeyedClientWebhookView>(path, { overlapHours })
  const { formerEnds } = changed
  show(context, changed, () => [
    ...keyLines(changed),
    formerEnds === undefined ? 'It signs alone from now on.' : `The former one signs too, until ${formerEnds}.`,
  ])
}

export async function testWebhook(context: CommandContext, { client, webhook }: Named): Promise<void> {
  showTests(context, [
    await (await connect(context)).post<WebhookTestView>(`${pathOf(client, webhook)}/test`, undefined),
  ])
}

export async function removeWebhook(context: CommandContext, { client, webhook }: Named): Promise<void> {
  await (await connect(context)).delete(pathOf(client, webhook))
  show(context, { removed: webhook }, () => [`${client} is not told there any more`])
}
