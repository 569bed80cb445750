/** What git tells of changes (`--raw -z`), and the contents that they bring. */
import type { Unread } from './blob-reader.ts'

/** A content of a repository that is not a file of the work tree. */
export interface RepositoryContent {
  /** The oldest commit, or the tag, that brought it. */
  readonly commit?: string
  /** `(message)` for the message of the commit. */
  readonly path: string
  readonly content: Uint8Array | Unread
}

/** A commit whose changes follow, or a blob that stands at a path from then on. */
type Change =
  | { readonly commit: string; readonly blob?: never }
  | { readonly commit?: never; readonly blob: string; readonly path: string }

/** Stands before each commit. */
const commitMark = '\u0001'

/** Reads the records `\x01{commit}`, `:100644 100644 {old} {new} M` and, after each of these, the path. Deletions and
 *  submodules bring nothing. */
export async function* changesOf(records: AsyncIterable<string>): AsyncGenerator<Change> {
  let change: string | undefined
  for await (const record of records) {
    if (change !== undefined) {
      const [, mode = '', , blob = ''] = change.trim().split(' ')
      change = undefined
      if (mode !== '160000' && !/^0*$/.test(blob)) yield { blob, path: record }
    } else if (record.startsWith(commitMark)) yield { commit: record.slice(commitMark.length).trim() }
    else if (/^\n*:/.test(record)) change = record
  }
}

/** True for the first time that the object is met. */
export function isNew(id: string, seen: Set<string>): boolean {
  // Half the memory of its hexadecimal form: histories have millions.
  const key = Buffer.from(id, 'hex').toString('latin1')
  if (seen.has(key)) return false
  seen.add(key)
  return true
}
