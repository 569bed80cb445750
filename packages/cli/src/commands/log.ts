/** `comity log`: the running node's events, or a published log on disk; and its files made again. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '@comity/core/problems'
import { parseCheckpoint } from '@comity/core/audit-log/checkpoint'
import { parseNote } from '@comity/core/audit-log/note'
import { openLogFiles } from '@comity/node/audit-log/log-files'
import { rebuildLogFiles } from '@comity/node/audit-log/log-rebuild'
import { loadConfig } from '@comity/node/config/config'
import { readEnvironment } from '@comity/node/config/environment'
import { lockDataDirectory } from '@comity/node/storage/data-directory-lock'
import { openSqlite } from '@comity/node/storage/sqlite'
import type { LoggedEventView } from '@comity/node/admin/admin-api'
import type { AdminClient } from '../admin-client.ts'
import { connect, show, type CommandContext } from '../command-context.ts'
import { readLogDirectory } from '../log-reader.ts'
import { table } from '../output.ts'
import { eventLine } from './event-line.ts'

export interface ShowLogArguments {
  readonly from: number
  readonly limit: number
  /** Instead of both: the newest so many. */
  readonly last?: number
  readonly dir?: string
}

function describe({ type, body }: LoggedEventView): string {
  return body === undefined ? '(erased with the person it was about)' : eventLine(type, body)
}

export async function showLog(context: CommandContext, args: ShowLogArguments): Promise<void> {
  if (args.dir !== undefined) return showDirectory(context, args.dir, args)
  const admin = await connect(context)
  const path = (from: number, limit: number) => `/v1/log/events?from=${from}&limit=${limit}`
  // Its checkpoint is behind the log by what came in the last moments.
  const events =
    args.last === undefined
      ? await admin.get<LoggedEventView[]>(path(args.from, args.limit))
      : (await admin.all<LoggedEventView>(path(Math.max(0, (await sizeOf(admin)) - args.last), 10_000))).slice(
          -args.last,
        )
  const rows = events.map((event) => [
    String(event.position),
    new Date(event.timeMs).toISOString(),
    event.type,
    describe(event),
  ])
  const rest = args.last === undefined ? await restOf(admin, events, args.limit) : []
  show(context, events, () => [...table([['position', 'time', 'type', 'event'], ...rows]), ...rest])
}

/** Where a list that was cut short goes on. */
async function restOf(admin: AdminClient, events: readonly LoggedEventView[], limit: number): Promise<string[]> {
  const next = (events.at(-1)?.position ?? -1) + 1
  const count = events.length < limit ? 0 : (await sizeOf(admin)) - next
  return count > 0 ? [`${count} more: go on with --from ${next}, or see the newest with --last ${limit}`] : []
}

/** Entries of the running node's log, by its checkpoint. */
async function sizeOf(admin: AdminClient): Promise<number> {
  const { checkpoint } = await admin.get<{ readonly checkpoint: string }>('/v1/log/checkpoint')
  return parseCheckpoint(parseNote(checkpoint).text).size
}

async function showDirectory(
  context: CommandContext,
  directory: string,
  { from, limit, last }: ShowLogArguments,
): Promise<void> {
  const whole = last === undefined ? undefined : await readLogDirectory(directory, { from: 0, limit: 1 })
  const range =
    last === undefined ? { from, limit } : { from: Math.max(0, (whole?.checkpoint.size ?? 0) - last), limit: last }
  const { checkpoint, entries } = await readLogDirectory(directory, range)
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
