/** `comity clients`: who holds API keys. */
import type { ApiKeyView, ClientView } from '@comity/node/admin/client-api'
import { colors } from '../colors.ts'
import type { KeyedClientWebhookView } from '@comity/node/admin/client-webhook-api'
import type { AdminClient } from '../admin-client.ts'
import { Problem } from '@comity/core/problems'
import { connect, show, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'
import { keyRows } from './api-keys.ts'
import { keyLines } from './client-webhooks.ts'

export interface AddClientArguments {
  readonly name?: string
  readonly kind: string
  readonly owner?: string
  readonly participant?: string
  readonly label?: Readonly<Record<string, string>>
  readonly rotateEvery?: number
  readonly overlap?: number
  readonly warnBefore?: number
  readonly disableUnusedAfter?: number
  readonly selfRenewal: boolean
  readonly webhook?: string
}

const clientPath = (id: string) => `/v1/clients/${encodeURIComponent(id)}`

export async function addClient(context: CommandContext, id: string, args: AddClientArguments): Promise<void> {
  const { name, kind, owner, participant, label: labels } = args
  const policies = {
    rotateEveryDays: args.rotateEvery,
    overlapDays: args.overlap,
    warnBeforeDays: args.warnBefore,
    disableUnusedAfterDays: args.disableUnusedAfter,
    selfRenewal: args.selfRenewal,
  }
  const request = { id, name, kind, owner, participant, labels, policies }
  const admin = await connect(context)
  const client = await admin.post<ClientView>('/v1/clients', request)
  const { webhook: url } = args
  const webhook =
    url === undefined ? undefined : await admin.post<KeyedClientWebhookView>(`${clientPath(id)}/webhooks`, { url })
  show(context, { ...client, webhook }, () => [
    `${client.id} is a client${client.participant === undefined ? '' : ` of ${client.participant}`}`,
    `\`comity api-keys issue ${client.id}\` makes a key for it`,
    ...(webhook === undefined
      ? []
      : [`It is told of its keys and quotas at ${webhook.endpoint}`, ...keyLines(webhook)]),
    ...(client.warnings ?? []).map((warning) => colors.yellow(warning)),
  ])
}

export async function listClients(context: CommandContext): Promise<void> {
  const clients = await (await connect(context)).all<ClientView>('/v1/clients')
  const rows = clients.map(({ id, name, kind, owner, participant, policies }) => [
    id,
    name,
    kind,
    owner ?? '',
    participant ?? '',
    policies.rotateEveryDays === undefined ? '' : `every ${policies.rotateEveryDays} days`,
  ])
  show(context, clients, () => table([['id', 'name', 'kind', 'owner', 'participant', 'rotates'], ...rows]))
}

export async function showClient(context: CommandContext, id: string): Promise<void> {
  const admin = await connect(context)
  const client = await admin.get<ClientView>(clientPath(id))
  const keys = await admin.all<ApiKeyView>(`${clientPath(id)}/keys?limit=1000`)
  show(context, { ...client, keys }, () => [JSON.stringify(client, null, 2), ...keyRows(keys)])
}

/** Without `yes` only one whose keys all have ended. */
export async function removeClient(
  context: CommandContext,
  id: string,
  { yes }: { readonly yes: boolean },
): Promise<void> {
  const admin = await connect(context)
  if (!yes) await requireNoKeys(admin, id)
  await admin.delete(clientPath(id))
  show(context, { removed: id }, () => [`${id} is no client any more, and none of its keys is taken`])
}

async function requireNoKeys(admin: AdminClient, id: string): Promise<void> {
  const keys = await admin.all<ApiKeyView>(`${clientPath(id)}/keys?limit=1000`)
  const active = keys.filter(({ state }) => state === 'active')
  if (active.length === 0) return
  const named = active.slice(0, 10).map(({ id: key, lastUsed }) => `${key} (last used ${lastUsed?.at ?? 'never'})`)
  const more = active.length > named.length ? ` and ${active.length - named.length} more` : ''
  throw new Problem(
    'confirmation-needed',
    `${id} has keys that have not ended: ${named.join(', ')}${more}; they end with it, and its id is never free again, so say \`--yes\``,
  )
}
