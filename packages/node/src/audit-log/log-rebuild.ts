/** Makes a log's files again from the database, when the directory was lost or damaged. */
import { parseCheckpoint, type Checkpoint } from '@comity/core/audit-log/checkpoint'
import { parseNote } from '@comity/core/audit-log/note'
import { utf8Bytes, utf8Text } from '@comity/core/bytes/utf8'
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
 *  lead to the root that was signed, or when the checkpoint that is there is of another or a longer log: the world has
 *  seen it, and going back would fork the log. No node may have the log open. */
export async function rebuildLogFiles(database: Database, files: LogFiles): Promise<number> {
  const stored = await loadCheckpoint(database)
  if (stored === undefined) throw new Problem('log-inconsistent', 'the database holds no log')
  const entryCount = await loadEntryCount(database)
  if (entryCount < stored.size) throw new Problem('log-inconsistent', 'the database lacks entries that were signed')
  const published = await readPublished(files)
  if (published !== undefined && published.size > stored.size)
    throw new Problem(
      'log-inconsistent',
      `a checkpoint of ${published.size} entries was published, but the database ends at ${stored.size}`,
    )
  const edge = new TreeEdge()
  while (edge.size < stored.size) {
    checkPublished(edge, published)
    const stop = published !== undefined && published.size > edge.size ? published.size : stored.size
    const end = Math.min(stop, edge.size + entriesPerStep)
    for (const entry of await loadTreeEntries(database, edge.size, end)) edge.append(entry)
    await files.write(edge.takeCompleted())
  }
  checkPublished(edge, published)
  if (!equalBytes(edge.root(), stored.root))
    throw new Problem('log-inconsistent', "the database's entries do not lead to the root hash that was signed")
  await files.write(edge.partialFiles(0))
  await files.sync()
  await files.write([{ path: 'checkpoint', bytes: utf8Bytes(stored.note) }])
  await files.sync()
  return stored.size
}

/** The published checkpoint; undefined when there is none, or it is damaged, which is why files are made again. */
async function readPublished(files: LogFiles): Promise<Checkpoint | undefined> {
  const bytes = await files.read('checkpoint')
  if (bytes === undefined) return undefined
  try {
    return parseCheckpoint(parseNote(utf8Text(bytes)).text)
  } catch {
    return undefined
  }
}

function checkPublished(edge: TreeEdge, published: Checkpoint | undefined): void {
  if (published?.size !== edge.size || equalBytes(edge.root(), published.rootHash)) return
  throw new Problem(
    'log-inconsistent',
    `the published checkpoint of ${published.size} entries is not of the database's entries`,
  )
}
