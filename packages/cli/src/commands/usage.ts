/** `comity usage`: how much was called. */
import type { QuotaForecastView, UsageGroup, UsageView } from '@comity/node/admin/usage-api'
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

/** Every quota that is asked for in one go. */
const maxQuotas = 200

export async function showForecast(context: CommandContext): Promise<void> {
  const quotas = await (await connect(context)).get<QuotaForecastView[]>(`/v1/usage/forecast?limit=${maxQuotas}`)
  const head = [
    'quota',
    'whose',
    'used',
    'of',
    'ends',
    'expected then',
    'used up',
    'at the earliest',
    'method',
    'error',
  ]
  show(context, quotas, () => table([head, ...quotas.map(forecastRow)]))
  if (quotas.length === maxQuotas) {
    context.terminal.error(`only the first ${maxQuotas}: page through GET /v1/usage/forecast for more`)
  }
}

function forecastRow(quota: QuotaForecastView): string[] {
  const { limit, whose, used, units, periodEnds, forecast, historyHours, leastHistoryHours } = quota
  const known = [limit, Object.values(whose).join(' '), String(used), String(units), periodEnds]
  if (forecast === undefined) {
    const days = Math.floor(historyHours / 24)
    return [...known, `too little history: ${days} days of ${leastHistoryHours / 24}`]
  }
  const { expected, low, high, hit, earliest, method, error } = forecast
  const wrong =
    error.ofSums === undefined ? 'nothing to judge by' : `${percent(error.ofSums)} over ${error.horizonHours} h`
  return [
    ...known,
    `${expected} (${low} to ${high})`,
    hit ?? 'not before',
    earliest ?? 'not before',
    method,
    `${wrong}; held ${percent(error.coverage)}`,
  ]
}

const percent = (part: number): string => `${Math.round(part * 100)} %`
