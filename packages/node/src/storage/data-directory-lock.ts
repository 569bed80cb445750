/** One process per data directory. The lock is the operating system's (SQLite's lock on an empty file of its own), so
 *  it ends with the process, however that dies, and never goes stale. */
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Problem } from '@comity/core/problems'
import { isBusy, storageProblem } from './sqlite-errors.ts'

/** Takes the directory, creating it (readable by its owner only) when it is not there, until disposed. Throws
 *  `data-in-use` when a process has it, this one included, and `storage-failed` when it cannot be written. */
export function lockDataDirectory(directory: string): Disposable {
  const path = join(directory, 'node.lock')
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'a', 0o600))
  } catch (cause) {
    throw new Problem('storage-failed', `the data directory \`${directory}\` cannot be written`, { cause })
  }
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (isBusy(error))
      throw new Problem('data-in-use', `\`${directory}\` is in use by another process`, { cause: error })
    throw storageProblem(error)
  }
  return { [Symbol.dispose]: () => lock.isOpen && lock.close() }
}
