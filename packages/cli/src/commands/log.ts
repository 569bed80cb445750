/** `comity log show`: the running node's events, or a published log on disk. */
import type { LoggedEventView } from '@comity/node/admin/admin-api'
import { connect, show, type CommandContext } from '../command-context.ts'
import { readLogDirectory } from '../log-reader.ts'
import { table } from '../output.ts'

export interface ShowLogArguments {
  readonly from: number
  readonly limit: number
  readonly dir?: string
}

function describe({ type, body }: LoggedEventView): string {
  const event = JSON.parse(body) as Record<string, unknown>
  const words = ['role', 'outcome', 'peer', 'product', 'operation', 'status', 'problem', 'agreement', 'purpose']
  const told = words.map((word) => event[word]).filter((value) => value !== undefined)
  return type === 'exchange' ? told.map(String).join(' ') : body.slice(0, 160)
}

export async function showLog(context: CommandContext, args: ShowLogArguments): Promise<void> {
  if (args.dir !== undefined) return showDirectory(context, args.dir, args)
  const path = `/v1/log/events?from=${args.from}&limit=${args.limit}`
  const events = await (await connect(context)).get<LoggedEventView[]>(path)
  const rows = events.map((event) => [
    String(event.position),
    new Date(event.timeMs).toISOString(),
    event.type,
    describe(event),
  ])
  show(context, events, () => table([['position', 'time', 'type', 'event'], ...rows]))
}

async function showDirectory(
  context: CommandContext,
  directory: string,
  { from, limit }: ShowLogArguments,
): Promise<void> {
  const { checkpoint, entries } = await readLogDirectory(directory, { from, limit })
  const value = { origin: checkpoint.origin, size: checkpoint.size, entries }
  show(context, value, () => [
    `${checkpoint.origin}, ${checkpoint.size} entries`,
    ...table([['position', 'entry'], ...entries.map(({ position, entry }) => [String(position), entry])]),
  ])
}
