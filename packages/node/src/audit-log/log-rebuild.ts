/** Makes a log's files again from the database, when the directory was lost or damaged. */
import { utf8Bytes } from '@comity/core/bytes/utf8'
import { equalBytes } from '@comity/core/bytes/bytes'
import { Problem } from '@comity/core/problems'
import type { Database } from '../storage/database.ts'
import type { LogFiles } from './log-files.ts'
import { loadCheckpoint, loadEntryCount } from './log-store.ts'
import { loadTreeEntries } from './recent-entries.ts'
import { TreeEdge } from './tree-edge.ts'

const entriesPerStep = 512

/** Writes every tile and bundle of the last signed checkpoint, then its `checkpoint` file. Gives the number of
 *  entries. Throws `log-inconsistent`, before the checkpoint file is touched, when the database's entries do not
 *  lead to the root that was signed. No node may have the log open. */
export async function rebuildLogFiles(database: Database, files: LogFiles): Promise<number> {
  const stored = await loadCheckpoint(database)
  if (stored === undefined) throw new Problem('log-inconsistent', 'the database holds no log')
  const entryCount = await loadEntryCount(database)
  if (entryCount < stored.size) throw new Problem('log-inconsistent', 'the database lacks entries that were signed')
  const edge = new TreeEdge()
  while (edge.size < stored.size) {
    const end = Math.min(stored.size, edge.size + entriesPerStep)
    for (const entry of await loadTreeEntries(database, edge.size, end)) edge.append(entry)
    await files.write(edge.takeCompleted())
  }
  if (!equalBytes(edge.root(), stored.root))
    throw new Problem('log-inconsistent', "the database's entries do not lead to the root hash that was signed")
  await files.write(edge.partialFiles(0))
  await files.sync()
  await files.write([{ path: 'checkpoint', bytes: utf8Bytes(stored.note) }])
  await files.sync()
  return stored.size
}
