/** `comity usage`: how much was called. */
import type { UsageGroup, UsageView } from '@comity/node/admin/usage-api'
import { connect, show, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'

export interface UsageArguments {
  readonly by: string
  readonly side: string
  readonly from?: string
  readonly to?: string
  readonly participant?: string
  readonly client?: string
  readonly key?: string
  readonly product?: string
  readonly operation?: string
  readonly csv: boolean
}

/** Lines that are asked for: what is more is for the admin API, page by page. */
const maxLines = 1_000

export async function showUsage(context: CommandContext, options: UsageArguments): Promise<void> {
  const { csv, ...query } = options
  const parameters = new URLSearchParams({ ...query, limit: String(maxLines) })
  const lines = await (await connect(context)).get<UsageView[]>(`/v1/usage?${parameters.toString()}`)
  const by = query.by.split(',') as UsageGroup[]
  if (csv) {
    for (const row of [csvHead(by), ...lines.map((line) => csvRow(line, by))]) context.terminal.out(csvLine(row))
  } else {
    show(context, lines, () => table([tableHead(by), ...lines.map((line) => tableRow(line, by))]))
  }
  if (lines.length === maxLines) {
    context.terminal.error(`only the first ${maxLines} lines: ask for less time, or page through GET /v1/usage`)
  }
}

const reasons = ['identity', 'limit', 'agreement', 'consent', 'policy', 'request'] as const

function csvHead(by: readonly UsageGroup[]): string[] {
  const refusals = reasons.map((reason) => `refused ${reason}`)
  return [...by, 'calls', 'failed', 'refused', ...refusals, 'units', 'bytes', 'upstream ms', 'upstream max ms']
}

function csvRow(line: UsageView, by: readonly UsageGroup[]): string[] {
  const { calls, failed, refused, refusedFor, units, bytes, upstreamMs, upstreamMaxMs } = line
  const counts = [calls, failed, refused, ...reasons.map((reason) => refusedFor[reason])]
  return [...namesOf(line, by), ...[...counts, units, bytes, upstreamMs, upstreamMaxMs].map(String)]
}

/** RFC 4180. A name that a spreadsheet would take for a formula is made a text. */
function csvLine(cells: readonly string[]): string {
  return cells
    .map((cell) => (/^[=+\-@\t]/.test(cell) ? `'${cell}` : cell))
    .map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(',')
}

function tableHead(by: readonly UsageGroup[]): string[] {
  return [...by, 'calls', 'refused', 'failed', 'units', 'bytes', 'mean wait', 'longest wait', 'refused for']
}

function tableRow(line: UsageView, by: readonly UsageGroup[]): string[] {
  const { calls, failed, refused, refusedFor, units, bytes, upstreamMs, upstreamMaxMs } = line
  const answered = calls - refused
  return [
    ...namesOf(line, by).map((name) => name || '(unknown)'),
    ...[calls, refused, failed, units, bytes].map(String),
    answered === 0 ? '' : `${Math.round(upstreamMs / answered)} ms`,
    upstreamMaxMs === 0 ? '' : `${upstreamMaxMs} ms`,
    reasons.flatMap((reason) => (refusedFor[reason] === 0 ? [] : [`${reason} ${refusedFor[reason]}`])).join(', '),
  ]
}

const namesOf = (line: UsageView, by: readonly UsageGroup[]): string[] => by.map((name) => line[name] ?? '')
