/** `comity api-keys`: issue, list, end and rotate API keys. A secret is printed once: to who made it. */
import { keyIdOf } from '@comity/core/api-keys/named-key'
import type {
  ApiKeyView,
  BegunRotationView,
  IssuedKeyView,
  KeyRotationView,
  RevokedKeyView,
  RotationDetailsView,
} from '@comity/node/admin/client-api'
import { colors } from '../colors.ts'
import { connect, show, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'

export interface IssueArguments {
  readonly environment?: string
  readonly use?: string
  readonly product?: readonly string[]
  readonly operation?: readonly string[]
  readonly field?: readonly string[]
  readonly network?: readonly string[]
  readonly notBefore?: string
  readonly expires?: string
  readonly lifetimeDays?: number
  readonly owner?: string
  readonly label?: Readonly<Record<string, string>>
  readonly sequence: boolean
}

/** Of a key by its id, its name, or the key itself as it was found: no secret leaves the command. */
const keyPath = (named: string) => `/v1/api-keys/${encodeURIComponent(keyIdOf(named))}`
const rotationPath = (id: string) => `/v1/rotations/${encodeURIComponent(id)}`

export async function issueKey(context: CommandContext, client: string, args: IssueArguments): Promise<void> {
  const { product: products, operation: operations, field: fields, network: networks, label: labels, ...rest } = args
  const request = { ...rest, networks, labels, scope: { products, operations, fields } }
  const path = `/v1/clients/${encodeURIComponent(client)}/keys`
  const issued = await (await connect(context)).post<IssuedKeyView>(path, request)
  show(context, issued, () => keyLines(issued))
}

/** What to do with a key that is shown this once. */
function keyLines({ key, id, use, expires }: IssuedKeyView): string[] {
  const how =
    use === 'hmac'
      ? 'Its client signs requests with it (RFC 9421, hmac-sha256) and never sends it.'
      : 'Its client sends it as `Authorization: Bearer …` or `X-API-Key: …`, in a header field only.'
  return [
    key,
    '',
    colors.yellow('This is the only time that it is shown. Put it where its client keeps secrets, and nowhere else.'),
    how,
    `It is called ${id}${expires === undefined ? '' : `, and ends ${expires}`}. If it leaks: \`comity api-keys revoke ${id}\`.`,
  ]
}

export interface KeyListArguments {
  readonly client?: string
  readonly state?: string
  readonly after?: string
  readonly limit: number
}

export async function listKeys(context: CommandContext, { limit, ...rest }: KeyListArguments): Promise<void> {
  const query = new URLSearchParams({ ...rest, limit: String(limit) })
  const keys = await (await connect(context)).get<ApiKeyView[]>(`/v1/api-keys?${query.toString()}`)
  show(context, keys, () => keyRows(keys))
}

/** A table of keys. */
export function keyRows(keys: readonly ApiKeyView[]): string[] {
  const rows = keys.map((key) => [
    key.name,
    key.client,
    key.use,
    key.reason === undefined ? key.state : `${key.state} (${key.reason})`,
    key.expires ?? '',
    key.lastUsed?.at ?? 'never',
    key.lastUsed?.network ?? '',
    String(key.lastUsed?.uses ?? 0),
    key.rotation ?? '',
  ])
  return table([['key', 'client', 'use', 'state', 'expires', 'last used', 'from', 'uses', 'rotation'], ...rows])
}

export async function showKey(context: CommandContext, id: string): Promise<void> {
  const key = await (await connect(context)).get<ApiKeyView>(keyPath(id))
  context.terminal.out(JSON.stringify(key, null, 2))
}

export async function setKey(
  context: CommandContext,
  { id, to }: { readonly id: string; readonly to: 'disable' | 'enable' },
  { reason }: { readonly reason?: string },
): Promise<void> {
  const key = await (await connect(context)).post<ApiKeyView>(`${keyPath(id)}/${to}`, { reason })
  show(context, key, () => [`${key.name} is ${key.state}, for the very next call`])
}

export interface RevokeArguments {
  readonly reason?: string
  readonly keepClaimed: boolean
}

export async function revokeKey(context: CommandContext, id: string, args: RevokeArguments): Promise<void> {
  const key = await (await connect(context)).post<RevokedKeyView>(`${keyPath(id)}/revoke`, args)
  show(context, key, () => revokedLines(key))
}

function revokedLines({ name, state, client, alsoEnded, working }: RevokedKeyView): string[] {
  return [
    `${name} is ${state}, for the very next call`,
    ...(alsoEnded.length === 0 ? [] : [`ended with it, since it was claimed with it: ${alsoEnded.join(', ')}`]),
    working.length === 0
      ? colors.yellow(`no key of ${client} works now; \`comity api-keys issue ${client}\` makes one`)
      : `still works: ${working.join(', ')}`,
  ]
}

export interface RotateArguments {
  readonly startsAt?: string
  readonly overlap?: number
  readonly sunset?: string
  readonly retire?: string
  readonly quietSeconds?: number
  readonly claim: boolean
}

export async function rotateKey(context: CommandContext, id: string, args: RotateArguments): Promise<void> {
  const { startsAt, overlap: overlapDays, sunset, retire, quietSeconds, claim } = args
  const successor = claim ? 'claim' : 'issue'
  const request = { startsAt, overlapDays, sunset, retire, quietSeconds, successor }
  const begun = await (await connect(context)).post<BegunRotationView>(`${keyPath(id)}/rotate`, request)
  show(context, begun, () => begunLines(begun))
}

function begunLines({ rotation, successor }: BegunRotationView): string[] {
  const { id, from, state, overlapFrom, sunset } = rotation
  const when = state === 'prepared' ? `from ${overlapFrom}` : 'now'
  return [
    ...(successor === undefined
      ? ['The client fetches its next key itself: `POST /keys/renewal` with the old one.']
      : [...keyLines(successor), '']),
    `Rotation ${id}: both keys work ${when}, the old one (${from}) ends ${sunset}.`,
    `\`comity api-keys rotations ${id}\` shows who still uses it, \`comity api-keys roll-back ${id}\` undoes it.`,
  ]
}

export interface RotationListArguments {
  readonly client?: string
  readonly running: boolean
  readonly after?: string
  readonly limit: number
}

export async function listRotations(context: CommandContext, args: RotationListArguments): Promise<void> {
  const { limit, running, ...rest } = args
  const query = new URLSearchParams({ ...rest, limit: String(limit), ...(running && { running: 'true' }) })
  const rotations = await (await connect(context)).get<KeyRotationView[]>(`/v1/rotations?${query.toString()}`)
  show(context, rotations, () => rotationRows(rotations))
}

function rotationRows(rotations: readonly KeyRotationView[]): string[] {
  const rows = rotations.map(({ id, client, from, to, state, overlapFrom, sunset, retire }) => [
    id,
    client,
    from,
    to ?? 'not fetched',
    state,
    overlapFrom,
    sunset,
    retire,
  ])
  return table([['id', 'client', 'old', 'new', 'state', 'both from', 'sunset', 'retire'], ...rows])
}

export async function showRotation(context: CommandContext, id: string): Promise<void> {
  const rotation = await (await connect(context)).get<RotationDetailsView>(rotationPath(id))
  const { remaining } = rotation
  show(context, rotation, () => [
    ...rotationRows([rotation]),
    '',
    ...(remaining.length === 0
      ? ['nobody has used the old key since both work']
      : table([
          ['still uses the old key', 'last', 'uses'],
          ...remaining.map(({ network, last, uses }) => [network, last, String(uses)]),
        ])),
  ])
}

export async function moveRotation(
  context: CommandContext,
  id: string,
  to: 'start' | 'complete' | 'roll-back',
): Promise<void> {
  const rotation = await (await connect(context)).post<KeyRotationView>(`${rotationPath(id)}/${to}`, {})
  show(context, rotation, () => [`rotation ${rotation.id} is ${rotation.state}`])
}

export async function makeSuccessor(context: CommandContext, id: string): Promise<void> {
  const begun = await (await connect(context)).post<BegunRotationView>(`${rotationPath(id)}/successor`, {})
  show(context, begun, () => begunLines(begun))
}
