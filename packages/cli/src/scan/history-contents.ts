/** The contents of a repository's history, each once: every version of every file of every branch, tag and stash, and
 *  the messages of the commits. One walk by `git log`, one `git cat-file` beside it; nothing is held but one content and
 *  the ids seen. */
import { createBlobReader, type Unread } from './blob-reader.ts'
import { gitRecords, type GitPlace } from './git.ts'

export interface HistoryContent {
  /** The oldest commit that brought it. */
  readonly commit: string
  /** `(message)` for the message of the commit. */
  readonly path: string
  readonly content: Uint8Array | Unread
}

/** Stands before each commit. */
const commitMark = '\u0001'

const logArguments = [
  '--no-replace-objects',
  '-c',
  'i18n.logOutputEncoding=UTF-8',
  'log',
  '--all',
  '--reverse',
  '--root',
  '-m',
  '-z',
  '--raw',
  '--no-abbrev',
  '--no-renames',
  '--no-ext-diff',
  '--no-textconv',
  '--format=tformat:%x01%H%n%B',
]

/** Oldest first. Throws `malformed-request` when the directory is in no repository. */
export async function* historyContents(place: GitPlace, maxBytes: number): AsyncGenerator<HistoryContent> {
  await using blobs = createBlobReader(place, maxBytes)
  const seen = new Set<string>()
  let commit = ''
  let change: string | undefined
  for await (const record of gitRecords(place, logArguments)) {
    if (change !== undefined) {
      const blob = newBlob(change, seen)
      change = undefined
      if (blob !== undefined) yield { commit, path: record, content: await blobs.read(blob) }
    } else if (record.startsWith(commitMark)) {
      const end = record.indexOf('\n')
      const id = record.slice(commitMark.length, end)
      // A merge is listed once for each parent.
      if (id !== commit) yield { commit: id, path: '(message)', content: Buffer.from(record.slice(end + 1)) }
      commit = id
    } else if (/^\n*:/.test(record)) change = record
  }
}

/** The blob that a line of `--raw` brings, `:100644 100644 {old} {new} M`; undefined for a deletion, a submodule, and
 *  what was seen before. */
function newBlob(change: string, seen: Set<string>): string | undefined {
  const [, mode = '', , id = ''] = change.trim().split(' ')
  if (mode === '160000' || /^0*$/.test(id)) return undefined
  // Half the memory of its hexadecimal form: histories have millions.
  const key = Buffer.from(id, 'hex').toString('latin1')
  if (seen.has(key)) return undefined
  seen.add(key)
  return id
}
