/** `comity duties`: what is owed about people's data, on both sides, and the receipts of it. */
import type { DutyReportView, DutyView } from '@comity/node/admin/rights-api'
import { counted } from '@comity/core/bytes/counted'
import { Problem } from '@comity/core/problems'
import { connect, show, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'

const dutyPath = (id: string) => `/v1/duties/${encodeURIComponent(id)}`

export interface DutyListArguments {
  readonly side?: string
  readonly state?: string
  readonly overdue: boolean
  readonly consent?: string
  readonly limit: number
}

export async function listDuties(context: CommandContext, options: DutyListArguments): Promise<void> {
  const { overdue, limit, ...rest } = options
  const query = new URLSearchParams({ ...rest, ...(overdue && { overdue: 'true' }), limit: String(limit) })
  const duties = await (await connect(context)).get<DutyView[]>(`/v1/duties?${query.toString()}`)
  const rows = duties.map((duty) => [
    duty.id,
    duty.kind,
    duty.overdue ? 'overdue' : duty.state,
    duty.due,
    duty.side === 'owed' ? `we owe ${duty.holder}` : `${duty.debtor} owes us`,
    duty.consent ?? '',
    duty.fields?.join(' ') ?? '',
  ])
  show(context, duties, () => table([['id', 'kind', 'state', 'due', 'who', 'consent', 'fields'], ...rows]))
}

export async function showDuty(context: CommandContext, id: string): Promise<void> {
  const duty = await (await connect(context)).get<DutyView>(dutyPath(id))
  context.terminal.out(JSON.stringify(duty, null, 2))
}

export async function reportDuty(
  context: CommandContext,
  id: string,
  { outcome, ground }: { readonly outcome: string; readonly ground?: string },
): Promise<void> {
  if (ground === undefined && (outcome === 'retained' || outcome === 'refused')) {
    const why = outcome === 'retained' ? 'by which law the data is kept' : 'why it is not done'
    throw new Problem('malformed-request', `say with \`--ground\` ${why}; it stands in the signed receipt`)
  }
  const body = { outcome, ...(ground === undefined ? {} : { ground }) }
  const duty = await (await connect(context)).post<DutyReportView>(`${dutyPath(id)}/report`, body)
  show(context, duty, () => reportLines(duty))
}

function reportLines({ isNew, state, outcome, holder, closed, discharged }: DutyReportView): string[] {
  if (!isNew)
    return [
      `reported already, on ${closed ?? ''}: ${state}, ${outcome ?? ''}; that report stands, and nothing more was sent`,
    ]
  const others = counted(discharged.length, 'other duty', 'other duties')
  return [
    `${state}: ${outcome ?? ''}; ${holder} is sent the signed receipt`,
    ...(discharged.length > 0
      ? [`${others} about the same person discharged with it, each with its receipt:`, ...discharged]
      : []),
  ]
}
