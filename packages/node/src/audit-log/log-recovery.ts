/** Start-up: brings database and directory of a log together again after any stop, and refuses to go on where they
 *  contradict each other, since a log that signs over a difference forks its history. Reads the right edge of the
 *  tree only, so a start takes as long for a million entries as for a hundred. */
import { openCheckpoint, signCheckpoint } from '@comity/core/audit-log/checkpoint'
import { encodeEntryBundle } from '@comity/core/audit-log/entry-bundle'
import { emptyTreeHead, Frontier, hashBytes, verifyConsistency } from '@comity/core/audit-log/merkle'
import { parseVerifierKey } from '@comity/core/audit-log/verifier-key'
import { ed25519NoteVerifier, type NoteSigner } from '@comity/core/audit-log/note'
import {
  consistencyProofFromTiles,
  hashInTile,
  rightEdgeTiles,
  tileAt,
  tilePath,
  tileWidth,
  treeFromTiles,
} from '@comity/core/audit-log/tiles'
import { equalBytes } from '@comity/core/bytes/bytes'
import { utf8Bytes, utf8Text } from '@comity/core/bytes/utf8'
import { Problem } from '@comity/core/problems'
import type { Database } from '../storage/database.ts'
import type { LogFiles } from './log-files.ts'
import { loadCheckpoint, loadEntryCount, saveFirstCheckpoint, type StoredCheckpoint } from './log-store.ts'
import { readPublishedTile } from './published-tile.ts'
import { loadTreeEntries } from './recent-entries.ts'
import { TreeEdge, type TreeEntry } from './tree-edge.ts'

interface RecoveryOptions {
  readonly origin: string
  readonly verifierKey: string
  readonly signer: NoteSigner
  readonly database: Database
  readonly files: LogFiles
}

/** Where a log goes on from. */
export interface RecoveredLog {
  readonly entryCount: number
  readonly stored: StoredCheckpoint
  /** True when the `checkpoint` file is the stored checkpoint. */
  readonly isPublished: boolean
  readonly edge: TreeEdge
}

/** Reads where the log stands, or begins a new one. Throws `log-inconsistent` saying what contradicts what, and
 *  `storage-failed`. */
export async function recoverLog(options: RecoveryOptions): Promise<RecoveredLog> {
  const { database, files } = options
  const isKeyWritten = await checkVerifierKey(options)
  const published = await readPublished(options)
  const stored = (await loadCheckpoint(database)) ?? (await beginLog(options, published))
  checkOwnNote(options, stored)
  const entryCount = await loadEntryCount(database)
  const fault = historyFault({ entryCount, stored, published })
  if (fault !== undefined) throw contradiction(fault)
  const edge = await loadEdge(database, files, stored)
  if (published !== undefined) await checkGrowth(files, published, stored)
  if (!isKeyWritten) await writeVerifierKey(options)
  return { entryCount, stored, isPublished: published?.note === stored.note, edge }
}

/** False when there is no `log.vkey` yet. */
async function checkVerifierKey({ files, verifierKey }: RecoveryOptions): Promise<boolean> {
  const known = await files.read('log.vkey')
  if (known !== undefined && !equalBytes(known, utf8Bytes(`${verifierKey}\n`)))
    throw contradiction('`log.vkey` is of another origin or key than this node logs with')
  return known !== undefined
}

async function writeVerifierKey({ files, verifierKey }: RecoveryOptions): Promise<void> {
  await files.write([{ path: 'log.vkey', bytes: utf8Bytes(`${verifierKey}\n`) }])
  await files.sync()
}

async function readPublished(options: RecoveryOptions): Promise<StoredCheckpoint | undefined> {
  const bytes = await options.files.read('checkpoint')
  if (bytes === undefined) return undefined
  try {
    return openOwnNote(options, utf8Text(bytes))
  } catch (cause) {
    throw contradiction('the `checkpoint` file is not signed by the key of this log', cause)
  }
}

function openOwnNote({ verifierKey }: RecoveryOptions, note: string): StoredCheckpoint {
  const { checkpoint } = openCheckpoint(note, ed25519NoteVerifier(parseVerifierKey(verifierKey)))
  return { size: checkpoint.size, root: checkpoint.rootHash, note }
}

function checkOwnNote(options: RecoveryOptions, stored: StoredCheckpoint): void {
  try {
    const { size, root } = openOwnNote(options, stored.note)
    if (size === stored.size && equalBytes(root, stored.root)) return
  } catch (cause) {
    throw contradiction('the checkpoint in the database is not signed by the key of this log', cause)
  }
  throw contradiction('the checkpoint in the database is not the one that was signed')
}

async function beginLog(
  { origin, signer, database }: RecoveryOptions,
  published: StoredCheckpoint | undefined,
): Promise<StoredCheckpoint> {
  if (published !== undefined)
    throw contradiction('the directory holds a log that the database knows nothing of; was the database replaced?')
  const root = emptyTreeHead()
  const first = { size: 0, root, note: signCheckpoint({ origin, size: 0, rootHash: root }, [signer]) }
  await saveFirstCheckpoint(database, first)
  return first
}

/** What makes it impossible to go on, if anything does. */
function historyFault(facts: {
  entryCount: number
  stored: StoredCheckpoint
  published: StoredCheckpoint | undefined
}): string | undefined {
  const { entryCount, stored, published } = facts
  if (entryCount < stored.size)
    return `the database holds ${entryCount} log entries, but a checkpoint of ${stored.size} was signed`
  if (published === undefined) return undefined
  if (published.size > stored.size)
    return `a checkpoint of ${published.size} entries was published, but the database ends at ${stored.size}; was an old backup restored?`
  if (published.size === stored.size && !equalBytes(published.root, stored.root))
    return `two checkpoints of ${stored.size} entries with different roots were signed`
  return undefined
}

async function checkGrowth(files: LogFiles, published: StoredCheckpoint, stored: StoredCheckpoint): Promise<void> {
  const { size: oldSize, root: oldRoot } = published
  const { size: newSize, root: newRoot } = stored
  const proof =
    oldSize === 0 || oldSize === newSize
      ? []
      : await asContradiction(consistencyProofFromTiles(oldSize, newSize, (path) => files.read(path)))
  try {
    verifyConsistency({ oldSize, newSize, oldRoot, newRoot, proof })
  } catch (cause) {
    throw contradiction('the checkpoint in the database does not extend the published one', cause)
  }
}

/** The edge of the stored checkpoint's tree, from tiles that lead to its root and from the entries below them. */
async function loadEdge(database: Database, files: LogFiles, stored: StoredCheckpoint): Promise<TreeEdge> {
  const { size } = stored
  const readTile = (path: string) => readPublishedTile(files, path, size)
  const { root, frontier } = await asContradiction(treeFromTiles(size, readTile))
  if (!equalBytes(root, stored.root)) throw contradiction("the tiles do not lead to the checkpoint's root hash")
  const levels: Uint8Array[][] = []
  for (const tile of rightEdgeTiles(size)) {
    const bytes = (await readTile(tilePath(tile)))!
    levels[tile.level as number] = Array.from({ length: tile.width }, (_, i) => Uint8Array.from(hashInTile(bytes, i)))
  }
  const last = await checkLastEntries(database, files, size)
  const bundle = size % tileWidth === 0 ? [] : last.map(({ entry }) => entry)
  return new TreeEdge(
    new Frontier(size, frontier),
    Array.from(levels, (hashes) => hashes ?? []),
    bundle,
  )
}

/** The entries of the last tile of the tree, after comparing database, tile and bundle with each other. */
async function checkLastEntries(database: Database, files: LogFiles, size: number): Promise<TreeEntry[]> {
  if (size === 0) return []
  const index = Math.floor((size - 1) / tileWidth)
  const tile = tileAt(0, index, size)!
  const start = index * tileWidth
  const entries = await loadTreeEntries(database, start, start + tile.width)
  const hashes = await readPublishedTile(files, tilePath(tile), size)
  const isSame = ({ leafHash }: TreeEntry, i: number) => equalBytes(leafHash, hashInTile(hashes!, i))
  if (hashes?.length !== tile.width * hashBytes || !entries.every(isSame))
    throw contradiction(`\`${tilePath(tile)}\` is not that of the database's entries`)
  const bundle = { ...tile, level: 'entries' as const }
  const bytes = await readPublishedTile(files, tilePath(bundle), size)
  if (bytes === undefined || !equalBytes(bytes, encodeEntryBundle(entries.map(({ entry }) => entry))))
    throw contradiction(`\`${tilePath(bundle)}\` is not that of the database's entries`)
  return entries
}

async function asContradiction<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (!(cause instanceof Problem) || cause.code !== 'proof-invalid') throw cause
    throw contradiction(cause.message, cause)
  }
}

function contradiction(detail: string, cause?: unknown): Problem {
  return new Problem('log-inconsistent', detail, { cause })
}
