/** `comity log`: the running node's events, or a published log on disk; and its files made again. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '@comity/core/problems'
import { openLogFiles } from '@comity/node/audit-log/log-files'
import { rebuildLogFiles } from '@comity/node/audit-log/log-rebuild'
import { loadConfig } from '@comity/node/config/config'
import { readEnvironment } from '@comity/node/config/environment'
import { lockDataDirectory } from '@comity/node/storage/data-directory-lock'
import { openSqlite } from '@comity/node/storage/sqlite'
import type { LoggedEventView } from '@comity/node/admin/admin-api'
import { connect, show, type CommandContext } from '../command-context.ts'
import { readLogDirectory } from '../log-reader.ts'
import { table } from '../output.ts'

export interface ShowLogArguments {
  readonly from: number
  readonly limit: number
  readonly dir?: string
}

/** Members of an event that tell a person what happened; the rest of it stands in `--json`. */
const words: Readonly<Record<string, readonly string[]>> = {
  exchange: ['role', 'outcome', 'peer', 'product', 'operation', 'status', 'problem', 'agreement', 'purpose'],
  admin: ['action', 'target', 'problem'],
  'event-received': ['issuer'],
}
const ofAgreements = ['agreement', 'peer', 'reason']

function describe({ type, body }: LoggedEventView): string {
  if (body === undefined) return '(erased with the person it was about)'
  const event = JSON.parse(body) as Record<string, unknown>
  const names = words[type] ?? (type.startsWith('agreement-') ? ofAgreements : undefined)
  if (names === undefined) return body.slice(0, 160)
  return names.flatMap((name) => (event[name] === undefined ? [] : [String(event[name])])).join(' ')
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

/** Writes the published log again from the database of a node that is stopped: `data-in-use` otherwise. */
export async function rebuildLog(context: CommandContext): Promise<void> {
  const { storage, log } = await loadConfig(context.configFile, readEnvironment(), { needsSecrets: false })
  const path = join(storage.directory, 'comity.db')
  if (!existsSync(path)) throw new Problem('storage-failed', `there is no database \`${path}\``)
  await using stack = new AsyncDisposableStack()
  stack.use(lockDataDirectory(storage.directory))
  const database = stack.use(await openSqlite(path))
  const size = await rebuildLogFiles(database, openLogFiles(log.directory))
  show(context, { directory: log.directory, size }, () => [`wrote ${size} entries of the log to ${log.directory}`])
}
