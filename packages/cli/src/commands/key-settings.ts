/** `comity clients set` and `comity api-keys set`: what of a client and of a key is changed while calls run. */
import { keyIdOf } from '@comity/core/api-keys/named-key'
import { Problem } from '@comity/core/problems'
import type { ApiKeyView, ClientView } from '@comity/node/admin/client-api'
import { colors } from '../colors.ts'
import { connect, show, type CommandContext } from '../command-context.ts'
import { keyDetailLines } from './api-keys.ts'

type Labels = Readonly<Record<string, string>>

export interface SetClientArguments {
  readonly name?: string
  readonly owner?: string
  readonly label?: Labels
  readonly rotateEvery?: number
  readonly overlap?: number
  readonly warnBefore?: number
  readonly disableUnusedAfter?: number
  readonly selfRenewal?: boolean
  readonly retire?: string
  readonly quietSeconds?: number
  readonly remove?: readonly string[]
}

export async function setClient(context: CommandContext, id: string, args: SetClientArguments): Promise<void> {
  const { name, owner, label, selfRenewal, retire, quietSeconds, remove = [] } = args
  const gone = (entry: string) => remove.includes(entry)
  const policies = {
    rotateEveryDays: gone('rotate-every') ? null : args.rotateEvery,
    overlapDays: args.overlap,
    warnBeforeDays: args.warnBefore,
    disableUnusedAfterDays: gone('disable-unused-after') ? null : args.disableUnusedAfter,
    selfRenewal,
    retire,
    quietSeconds,
  }
  const entries = { name, owner: gone('owner') ? null : owner, labels: gone('label') ? {} : label }
  requireChange({ ...policies, ...entries })
  const path = `/v1/clients/${encodeURIComponent(id)}`
  const client = await (await connect(context)).patch<ClientView>(path, { ...entries, policies })
  show(context, client, () => [
    `${client.id} is changed`,
    JSON.stringify(client, null, 2),
    ...(client.warnings ?? []).map((warning) => colors.yellow(warning)),
  ])
}

export interface SetKeyArguments {
  readonly product?: readonly string[]
  readonly operation?: readonly string[]
  readonly field?: readonly string[]
  readonly network?: readonly string[]
  readonly expires?: string
  readonly lifetimeDays?: number
  readonly owner?: string
  readonly label?: Labels
  readonly remove?: readonly string[]
}

export async function setKeyTerms(context: CommandContext, named: string, args: SetKeyArguments): Promise<void> {
  const path = `/v1/api-keys/${encodeURIComponent(keyIdOf(named))}`
  const { product, operation, field, network, expires, lifetimeDays, owner, label, remove = [] } = args
  const gone = (entry: string) => remove.includes(entry)
  const narrowed = [product, operation, field].some((list) => list !== undefined)
  const isScopeChanged = narrowed || ['product', 'operation', 'field'].some(gone)
  const entries = {
    networks: gone('network') ? [] : network,
    expires: gone('expires') ? null : expires,
    lifetimeDays: gone('lifetime-days') ? null : lifetimeDays,
    owner: gone('owner') ? null : owner,
    labels: gone('label') ? {} : label,
  }
  requireChange({ ...entries, isScopeChanged: isScopeChanged || undefined })
  const admin = await connect(context)
  const { scope: former } = await admin.get<ApiKeyView>(path)
  const scope = isScopeChanged && {
    products: gone('product') ? undefined : (product ?? former.products),
    operations: gone('operation') ? undefined : (operation ?? former.operations),
    fields: gone('field') ? undefined : (field ?? former.fields),
  }
  const key = await admin.patch<ApiKeyView>(path, { ...entries, ...(scope !== false && { scope }) })
  show(context, key, () => [`${key.name} is changed, for the very next call`, ...keyDetailLines(key)])
}

function requireChange(entries: Readonly<Record<string, unknown>>): void {
  if (Object.values(entries).some((value) => value !== undefined)) return
  throw new Problem('malformed-request', 'nothing is given to change; `--help` lists what can be')
}
