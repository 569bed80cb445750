/** What SQLite's result codes mean to the node (sqlite.org/rescode.html). */
import { Problem } from '@comity/core/problems'

/** Primary result codes that say that the storage, not the statement, is at fault. */
const storageFaults: Readonly<Record<number, string>> = {
  5: 'the database is locked by another process',
  6: 'the database is locked',
  8: 'the database is read-only',
  10: 'the disk failed to read or write',
  11: 'the database file is damaged',
  13: 'the disk is full',
  14: 'the database file cannot be opened',
  26: 'the file is not a database',
}

/** `storage-failed` for a fault of the storage; any other error (a constraint, a wrong statement) as it came. */
export function storageProblem(error: unknown): unknown {
  const code = primaryCode(error)
  const detail = code === undefined ? undefined : storageFaults[code]
  return detail === undefined ? error : new Problem('storage-failed', detail, { cause: error })
}

/** True when another connection holds the lock that the statement needed. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error)
  return code === 5 || code === 6
}

/** The low byte of an (extended) result code, undefined for errors that are not SQLite's. */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode & 0xff
}
