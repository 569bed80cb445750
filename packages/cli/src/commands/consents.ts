/** `comity consents`: kept as the holder, asked for, held and passed on as the recipient. */
import type {
  ConsentDetailsView,
  ConsentUseView,
  ConsentView,
  DecidedConsentView,
  DelegationView,
  HeldConsentView,
  HeldTokenView,
} from '@comity/node/admin/consent-api'
import { Problem } from '@comity/core/problems'
import { connect, show, writeTextFile, type CommandContext } from '../command-context.ts'
import type { GrantChoice } from '../consent-commands.ts'
import { table } from '../output.ts'
import { readYamlFile } from '../read-yaml.ts'

/** Path of one consent's address, kept or held. */
const keptPath = (id: string) => `/v1/consents/${encodeURIComponent(id)}`
const heldPath = (id: string) => `/v1/held-consents/${encodeURIComponent(id)}`

/** The members that are there, as a query. */
function queryOf(members: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs as [string, string][]).toString()}`
}

/** An object without the members that are undefined. */
function given(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

export interface ListArguments {
  readonly state?: string
  readonly recipient?: string
  readonly reference?: string
  readonly limit: number
}

export async function listConsents(context: CommandContext, options: ListArguments): Promise<void> {
  const { state, recipient, reference, limit } = options
  const query = queryOf({ state, recipient, reference, limit })
  const consents = await (await connect(context)).get<ConsentView[]>(`/v1/consents${query}`)
  const rows = consents.map(({ id, state: now, recipient: to, rev, expires }) => [
    id,
    now,
    to,
    String(rev),
    expires ?? '',
  ])
  show(context, consents, () => table([['id', 'state', 'recipient', 'revision', 'until'], ...rows]))
}

export async function showConsent(context: CommandContext, id: string): Promise<void> {
  const consent = await (await connect(context)).get<ConsentDetailsView>(keptPath(id))
  show(context, consent, () => [
    JSON.stringify(consent, null, 2),
    ...(consent.erased === true ? ['The person was erased: who they were, what was asked and decided is gone'] : []),
  ])
}

export async function listUses(context: CommandContext, id: string, { limit }: { limit: number }): Promise<void> {
  const uses = await (await connect(context)).get<ConsentUseView[]>(`${keptPath(id)}/uses${queryOf({ limit })}`)
  const rows = uses.map(({ exchange, at, caller, product, purpose, released }) => [
    exchange,
    at,
    caller,
    product,
    purpose ?? '',
    released.join(' '),
  ])
  show(context, uses, () => table([['exchange', 'time', 'by', 'product', 'purpose', 'fields'], ...rows]))
}

export async function exportConsent(
  context: CommandContext,
  id: string,
  { as, out }: { readonly as: string; readonly out?: string },
): Promise<void> {
  const exported = await (await connect(context)).get<unknown>(`${keptPath(id)}/export${queryOf({ as })}`)
  const text = JSON.stringify(exported, null, 2)
  if (out === undefined) return context.terminal.out(text)
  await writeTextFile(out, `${text}\n`)
  show(context, { wrote: out }, () => [`wrote ${out}`])
}

export interface DecideArguments {
  readonly grant?: readonly GrantChoice[]
  readonly refuse: boolean
  readonly defer: boolean
  readonly channel: string
  readonly lang: string
  readonly presented?: string
  readonly expires?: string
  readonly acr?: string
  readonly amr?: readonly string[]
  readonly authTime?: string
  readonly grantor?: string
  readonly capacity?: string
}

export async function decide(context: CommandContext, id: string, args: DecideArguments): Promise<void> {
  const { grant, refuse, defer, channel, lang, presented, expires, acr, amr, authTime, grantor, capacity } = args
  const said = [grant !== undefined, refuse, defer].filter(Boolean).length
  if (said !== 1) throw new Problem('malformed-request', 'say one of `--grant`, `--refuse` and `--defer`')
  if ((grantor === undefined) !== (capacity === undefined)) {
    throw new Problem('malformed-request', '`--grantor` and `--capacity` go together')
  }
  const decision = refuse ? 'refuse' : defer ? 'defer' : 'grant'
  const seconds = authTime === undefined ? undefined : Math.floor(Date.parse(authTime) / 1_000)
  const body = given({
    decision,
    lang,
    presented,
    expires,
    grants: grant,
    session: given({ channel, acr, amr, authTime: seconds }),
    grantor: grantor === undefined ? undefined : { id: grantor, capacity },
  })
  const consent = await (await connect(context)).post<DecidedConsentView>(`${keptPath(id)}/decide`, body)
  const unchanged = consent.isUnchanged === true ? ', as it was decided before: nothing has changed' : ''
  show(context, consent, () => [`${consent.id} is ${consent.state}${untilText(consent.expires)}${unchanged}`])
}

const untilText = (until: string | undefined): string => (until === undefined ? '' : ` until ${until}`)

export interface ChangeArguments {
  readonly name: 'pause' | 'resume' | 'withdraw' | 'revoke'
  readonly by: string
  readonly reason?: string
}

export async function changeConsent(context: CommandContext, id: string, args: ChangeArguments): Promise<void> {
  const { name, by, reason } = args
  const path = `${keptPath(id)}/${name}`
  const consent = await (await connect(context)).post<ConsentView>(path, given({ by, reason }))
  show(context, consent, () => [
    `${consent.id} is ${consent.state}; its recipient and all known delegates are being told`,
  ])
}

export interface RequestArguments {
  readonly partner: string
  readonly reference: string
  readonly label?: string
  readonly template?: string
  readonly file?: string
  readonly for?: string
  readonly type: string
  readonly capacity?: string
}

export async function requestConsent(context: CommandContext, args: RequestArguments): Promise<void> {
  const { partner, reference, label, template, file, type, capacity } = args
  if ((template === undefined) === (file === undefined)) {
    throw new Problem('malformed-request', 'give what is asked for with one of `--template` and `--file`')
  }
  const terms = file === undefined ? {} : await readYamlFile(file, 'a consent request')
  const body = given({
    ...terms,
    partner,
    reference,
    label,
    template: template === undefined ? undefined : templateName(template),
    duration: args.for ?? terms['duration'],
    subjectType: type,
    capacity,
  })
  const asked = await (await connect(context)).post<HeldConsentView>('/v1/held-consents', body)
  const isOther = label !== undefined && asked.label !== label
  show(context, asked, () => [
    `${asked.id} is ${asked.state}${asked.lapses === undefined ? '' : `; it lapses ${asked.lapses}`}`,
    ...(isOther ? [`asked before: ${keptLabel(asked.label)}, and \`${label}\` is not kept`] : []),
  ])
}

const keptLabel = (label: string | undefined): string =>
  label === undefined ? 'it has no label' : `its label stays \`${label}\``

/** `urn:example:t@3`. An id may hold an `@`; the last one parts it from the version. */
function templateName(text: string): { readonly id: string; readonly version?: string } {
  const at = text.lastIndexOf('@')
  return at <= 0 ? { id: text } : { id: text.slice(0, at), version: text.slice(at + 1) }
}

export interface HeldArguments {
  readonly state?: string
  readonly holder?: string
  readonly label?: string
  readonly limit: number
  readonly refresh: boolean
}

export async function showHeld(context: CommandContext, id: string | undefined, options: HeldArguments): Promise<void> {
  const client = await connect(context)
  const { state, holder, label, limit, refresh } = options
  if (id !== undefined) {
    const path = heldPath(id)
    const one = refresh
      ? await client.post<HeldConsentView>(`${path}/refresh`, {})
      : await client.get<HeldConsentView>(path)
    return context.terminal.out(JSON.stringify(one, null, 2))
  }
  const consents = await client.get<HeldConsentView[]>(`/v1/held-consents${queryOf({ state, holder, label, limit })}`)
  const rows = consents.map((one) => [
    one.id,
    one.state,
    one.holder,
    one.label ?? '',
    one.subject ?? '',
    one.expires ?? '',
  ])
  show(context, consents, () => table([['id', 'state', 'holder', 'label', 'subject', 'until'], ...rows]))
}

export async function showToken(
  context: CommandContext,
  id: string,
  { raw }: { readonly raw: boolean },
): Promise<void> {
  const { token, ...rest } = await (await connect(context)).post<HeldTokenView>(`${heldPath(id)}/token`, {})
  if (raw) return show(context, { token, ...rest }, () => [token])
  context.terminal.out(JSON.stringify(rest, null, 2))
}

export async function giveUp(
  context: CommandContext,
  id: string,
  { reason }: { readonly reason?: string },
): Promise<void> {
  const client = await connect(context)
  const consent = await client.post<HeldConsentView>(`${heldPath(id)}/revoke`, given({ reason }))
  show(context, consent, () => [`${consent.id} is ${consent.state}`])
}

export interface DelegateArguments {
  readonly to: string
  readonly grant: readonly GrantChoice[]
  readonly until: string
  readonly depth?: number
}

export async function delegate(context: CommandContext, id: string, args: DelegateArguments): Promise<void> {
  const { to, grant, until, depth } = args
  const onward = depth === undefined ? undefined : { allow: 'any', maxDepth: depth }
  const grants = grant.map(({ id: name, fields }) =>
    given({ grant: name, fields: fields && { include: fields }, onward }),
  )
  const client = await connect(context)
  const delegation = await client.post<DelegationView>(`${heldPath(id)}/delegate`, { delegate: to, until, grants })
  show(context, delegation, () => [
    `${delegation.id}: ${delegation.delegate} may call until ${delegation.until}; it and the holder are being told`,
  ])
}

const endings: Readonly<Record<NonNullable<DelegationView['endedBy']>, string>> = {
  order: 'you ended it',
  narrowing: 'the consent was narrowed and does not cover it any more',
  consent: 'what it was a part of has ended',
}

export async function listDelegations(context: CommandContext): Promise<void> {
  const delegations = await (await connect(context)).all<DelegationView>('/v1/delegations')
  const rows = delegations.map(({ id, consent, delegate: to, until, ended, endedBy, grants = [], dropped }) => {
    const why = endedBy === undefined ? '' : endings[endedBy]
    const left = grants.flatMap(({ grant, effect }) => (effect === 'permit' ? [grant] : []))
    return [id, consent, to, until, left.join(' '), dropped.join(' '), ended ?? '', why]
  })
  const header = ['id', 'consent', 'delegate', 'until', 'grants', 'lost by narrowing', 'ended', 'why']
  show(context, delegations, () => table([header, ...rows]))
}

export async function endDelegation(context: CommandContext, id: string): Promise<void> {
  const path = `/v1/delegations/${encodeURIComponent(id)}/end`
  const delegation = await (await connect(context)).post<DelegationView>(path, {})
  show(context, delegation, () => [
    `${delegation.id} ended ${delegation.ended ?? ''}; the delegate and the holder are being told`,
  ])
}
