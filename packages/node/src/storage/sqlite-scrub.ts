/** Makes SQLite forget: with `secure_delete` (sqlite.ts) what is overwritten or deleted is zeros in the pages that are
 *  written next, but the write-ahead log still has the pages as they were. */
import { Problem } from '@comity/core/problems'
import type { Database } from './database.ts'

/** Copies the write-ahead log into the database file and cuts it to nothing. Throws `storage-failed` when another
 *  process reads the database and so holds on to the log. */
export async function emptyWriteAheadLog(database: Database): Promise<void> {
  const row = await database.get<{ busy: number }>('PRAGMA wal_checkpoint(TRUNCATE)')
  if (row?.busy !== 0) throw new Problem('storage-failed', 'another process holds on to the write-ahead log')
}
