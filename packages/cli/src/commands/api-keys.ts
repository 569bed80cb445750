/** `comity api-keys`: issue, list, end and rotate API keys. A secret is printed once: to who made it. */
import { keyIdOf } from '@comity/core/api-keys/named-key'
import type {
  ApiKeyView,
  BegunRotationView,
  DisabledKeyView,
  IssuedKeyView,
  KeyRotationView,
  RevokedKeyView,
  RotationDetailsView,
} from '@comity/node/admin/client-api'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
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
const clock: Clock = Date
const rotationPath = (id: string) => `/v1/rotations/${encodeURIComponent(id)}`

export async function issueKey(context: CommandContext, client: string, args: IssueArguments): Promise<void> {
  const { product: products, operation: operations, field: fields, network: networks, label: labels, ...rest } = args
  const request = { ...rest, networks, labels, scope: { products, operations, fields } }
  const path = `/v1/clients/${encodeURIComponent(client)}/keys`
  const issued = await (await connect(context)).post<IssuedKeyView>(path, request)
  show(context, issued, () => keyLines(issued))
}

/** What to do with a key that is shown this once. */
function keyLines({ key, id, use, expires, warnings }: IssuedKeyView): string[] {
  const how =
    use === 'hmac'
      ? 'Its client signs requests with it (RFC 9421, hmac-sha256) and never sends it.'
      : 'Its client sends it as `Authorization: Bearer …` or `X-API-Key: …`, in a header field only.'
  return [
    key,
    '',
    colors.yellow('This is the only time that it is shown. Put it where its client keeps secrets, and nowhere else.'),
    how,
    ...(warnings ?? []).map((warning) => colors.yellow(`warning: ${warning}`)),
    `It is called ${id}${expires === undefined ? '' : `, and ends ${expires}`}. If it leaks: \`comity api-keys revoke ${id}\`.`,
  ]
}

export interface KeyListArguments {
  readonly client?: string
  readonly state?: string
  readonly label?: Readonly<Record<string, string>>
  readonly wide: boolean
  readonly after?: string
  readonly limit: number
}

export async function listKeys(
  context: CommandContext,
  { limit, label, wide, ...rest }: KeyListArguments,
): Promise<void> {
  const admin = await connect(context)
  const page = (count: number) => `/v1/api-keys?${new URLSearchParams({ ...rest, limit: String(count) }).toString()}`
  const labels = Object.entries(label ?? {})
  const has = (key: ApiKeyView) => labels.every(([name, value]) => key.labels[name] === value)
  // Labels are looked at here: a page of the node may have none that fits.
  const keys =
    labels.length === 0
      ? await admin.get<ApiKeyView[]>(page(limit))
      : (await admin.all<ApiKeyView>(page(1_000))).filter(has).slice(0, limit)
  show(context, keys, () => keyRows(keys, { wide }))
}

const list = (values: readonly string[] | undefined, none: string) =>
  values === undefined || values.length === 0 ? none : values.join(' ')

function scopeText({ products, operations, fields }: ApiKeyView['scope']): string {
  const parts = [list(operations ?? products, 'all'), ...(fields === undefined ? [] : [`fields ${fields.join(' ')}`])]
  return parts.join(', ')
}

const labelText = (labels: ApiKeyView['labels']) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')

function wideOf({ scope, networks, owner, labels }: ApiKeyView): string[] {
  return [scopeText(scope), list(networks, 'everywhere'), owner ?? '', labelText(labels)]
}

/** What of one key can be changed, and what its scope reaches nothing of. */
export function keyDetailLines(key: ApiKeyView): string[] {
  const { warnings = [] } = key
  return [...keyRows([key], { wide: true }), ...warnings.map((warning) => colors.yellow(`warning: ${warning}`))]
}

/** How a key stands; one before its time is active and not taken. */
function stateText({ state, reason, notBefore }: ApiKeyView): string {
  if (state === 'active' && notBefore !== undefined && Date.parse(notBefore) > clock.now())
    return `not yet (from ${notBefore})`
  return reason === undefined ? state : `${state} (${reason})`
}

/** A table of keys. */
export function keyRows(keys: readonly ApiKeyView[], { wide }: { readonly wide: boolean } = { wide: false }): string[] {
  const rows = keys.map((key) => [
    key.name,
    key.client,
    key.use,
    stateText(key),
    key.expires ?? '',
    key.lastUsed?.at ?? 'never',
    key.lastUsed?.network ?? '',
    String(key.lastUsed?.uses ?? 0),
    key.rotation ?? '',
    ...(wide ? wideOf(key) : []),
  ])
  const more = wide ? ['scope', 'networks', 'owner', 'labels'] : []
  return table([
    ['key', 'client', 'use', 'state', 'expires', 'last used', 'from', 'uses', 'rotation', ...more],
    ...rows,
  ])
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
  const path = `${keyPath(id)}/${to}`
  const admin = await connect(context)
  if (to === 'enable') {
    const key = await admin.post<ApiKeyView>(path, { reason })
    show(context, key, () => [`${key.name} is ${key.state}, for the very next call`])
    return
  }
  const disabled = await admin.post<DisabledKeyView>(path, { reason })
  show(context, disabled, () => disabledLines(disabled))
}

function disabledLines({ id, name, state, client, claimed, working }: DisabledKeyView): string[] {
  const goesOn = `was claimed with it and goes on: ${claimed.join(', ')}; \`comity api-keys revoke ${id}\` ends all of them`
  return [
    `${name} is ${state}, for the very next call`,
    ...(claimed.length === 0 ? [] : [colors.yellow(goesOn)]),
    working.length === 0 ? colors.yellow(`no key of ${client} works now`) : `still works: ${working.join(', ')}`,
  ]
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
  return table([['id', 'client', 'old key', 'successor', 'state', 'both from', 'sunset', 'retire'], ...rows])
}

export async function showRotation(context: CommandContext, id: string): Promise<void> {
  const rotation = await (await connect(context)).get<RotationDetailsView>(rotationPath(id))
  const { remaining, state, overlapFrom } = rotation
  const unused =
    state === 'prepared' ? `from ${overlapFrom} both keys work` : 'nobody has used the old key since both work'
  const users = remaining.map(({ network, last, uses }) => [network, last, String(uses)])
  const lines = users.length === 0 ? [unused] : table([['still uses the old key', 'last', 'uses'], ...users])
  show(context, rotation, () => [...rotationRows([rotation]), '', ...lines])
}

export async function moveRotation(context: CommandContext, id: string, to: 'start' | 'roll-back'): Promise<void> {
  const rotation = await (await connect(context)).post<KeyRotationView>(`${rotationPath(id)}/${to}`, {})
  show(context, rotation, () => [`rotation ${rotation.id} is ${rotation.state}`])
}

/** Without `yes` only where the old key was quiet for as long as the rotation asks, and the successor is in use; where no
 *  `yes` would help the node says why. */
export async function completeRotation(
  context: CommandContext,
  id: string,
  { yes }: { readonly yes: boolean },
): Promise<void> {
  const admin = await connect(context)
  if (!yes) {
    const rotation = await admin.get<RotationDetailsView>(rotationPath(id))
    const successor = rotation.to === undefined ? undefined : await admin.get<ApiKeyView>(keyPath(rotation.to))
    const canComplete = ['overlapping', 'draining'].includes(rotation.state) && successor !== undefined
    const doubts = canComplete ? doubtsOf(rotation, successor) : []
    if (doubts.length > 0)
      throw new Problem(
        'confirmation-needed',
        `${doubts.join('; ')}; to retire the old key all the same, say \`--yes\``,
      )
  }
  const completed = await admin.post<KeyRotationView>(`${rotationPath(id)}/complete`, {})
  show(context, completed, () => [`rotation ${completed.id} is ${completed.state}`])
}

function doubtsOf({ remaining, quietSeconds, from }: RotationDetailsView, successor: ApiKeyView | undefined): string[] {
  const users = remaining.filter(({ last }) => Date.parse(last) + quietSeconds * 1_000 > clock.now())
  const named = users.slice(0, 10).map(({ network, last, uses }) => `${network} (last ${last}, ${uses} calls)`)
  return [
    ...(successor !== undefined && successor.lastUsed === undefined ? [`nobody has used ${successor.id} yet`] : []),
    ...(users.length === 0 ? [] : [`${from} was used in the last ${quietSeconds} seconds from ${named.join(', ')}`]),
  ]
}

export async function makeSuccessor(context: CommandContext, id: string): Promise<void> {
  const begun = await (await connect(context)).post<BegunRotationView>(`${rotationPath(id)}/successor`, {})
  show(context, begun, () => begunLines(begun))
}
