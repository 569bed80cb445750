/** `comity quotas`: higher quotas, asked of partners and by them. */
import type { QuotaAskView, QuotaCountView, QuotaRequestView } from '@comity/node/admin/quota-api'
import { connect, show, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'

export interface AskArguments {
  readonly limit: string
  readonly units: number
  readonly per: string
  readonly reason: string
  readonly product?: string
}

export async function askQuota(context: CommandContext, partner: string, options: AskArguments): Promise<void> {
  const ask = await (await connect(context)).post<QuotaAskView>('/v1/quotas/asks', { partner, ...options })
  show(context, ask, () => [`asked: ${ask.id}`, `comity quotas show ${ask.id} tells how it stands`])
}

export interface ListArguments {
  readonly state?: string
}

const queryOf = (options: ListArguments): string => new URLSearchParams({ ...options, limit: '1000' }).toString()

export async function listAsks(context: CommandContext, options: ListArguments): Promise<void> {
  const asks = await (await connect(context)).get<QuotaAskView[]>(`/v1/quotas/asks?${queryOf(options)}`)
  const rows = asks.map((ask) => [ask.id, ask.partner, ...facts(ask)])
  show(context, asks, () => table([['id', 'partner', ...factNames], ...rows]))
}

export async function showAsk(context: CommandContext, id: string): Promise<void> {
  const ask = await (await connect(context)).get<QuotaAskView>(`/v1/quotas/asks/${encodeURIComponent(id)}`)
  context.terminal.out(JSON.stringify(ask, null, 2))
}

export async function listRequests(context: CommandContext, options: ListArguments): Promise<void> {
  const requests = await (await connect(context)).get<QuotaRequestView[]>(`/v1/quotas/requests?${queryOf(options)}`)
  const rows = requests.map((request) => [
    request.id,
    request.client ?? '',
    request.participant ?? '',
    ...facts(request),
  ])
  show(context, requests, () => table([['id', 'client', 'participant', ...factNames], ...rows]))
}

export interface GrantArguments {
  readonly units?: number
  readonly until?: string
  readonly note?: string
}

export async function grantRequest(context: CommandContext, id: string, options: GrantArguments): Promise<void> {
  const path = `/v1/quotas/requests/${encodeURIComponent(id)}/grant`
  const request = await (await connect(context)).post<QuotaRequestView>(path, options)
  show(context, request, () => [
    `granted: ${request.granted ?? 0} units a ${request.per}, from the next call on, until ${request.until ?? ''}`,
  ])
}

export async function refuseRequest(
  context: CommandContext,
  id: string,
  options: { readonly note?: string },
): Promise<void> {
  const path = `/v1/quotas/requests/${encodeURIComponent(id)}/refuse`
  const request = await (await connect(context)).post<QuotaRequestView>(path, options)
  show(context, request, () => [`refused: ${request.id}`])
}

export interface WithdrawArguments {
  readonly until?: string
  readonly note?: string
}

export async function withdrawGrant(context: CommandContext, id: string, options: WithdrawArguments): Promise<void> {
  const path = `/v1/quotas/requests/${encodeURIComponent(id)}/withdraw`
  const request = await (await connect(context)).post<QuotaRequestView>(path, options)
  const { state, granted = 0, per, until = '' } = request
  show(context, request, () => [
    state === 'withdrawn'
      ? `withdrawn: \`${request.limit}\` counts as the rule says, from the next call on`
      : `shortened: ${granted} units a ${per} until ${until}`,
  ])
}

const counterPath = (limit: string, of: string) =>
  `/v1/quotas/counts/${encodeURIComponent(limit)}/${encodeURIComponent(of)}`

export async function showCount(context: CommandContext, limit: string, of: string): Promise<void> {
  const count = await (await connect(context)).get<QuotaCountView>(counterPath(limit, of))
  const { units, used, per, periodEnds } = count
  show(context, count, () => [`${used} of ${units} units are used; the ${per} ends at ${periodEnds}`])
}

export async function resetCount(context: CommandContext, limit: string, of: string): Promise<void> {
  await (await connect(context)).delete(counterPath(limit, of))
  show(context, { limit, of }, () => [`begun anew: nothing of \`${limit}\` is used by ${of}`])
}

const factNames = ['limit', 'product', 'asked for', 'state', 'granted', 'until', 'reason', 'note']

function facts(asked: Omit<QuotaRequestView, 'participant' | 'client'>): string[] {
  const { limit, product = '', units, per, state, granted, until = '', reason, note = '' } = asked
  return [limit, product, `${units} a ${per}`, state, granted === undefined ? '' : String(granted), until, reason, note]
}
