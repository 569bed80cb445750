/** Reads and checks a log from its published files alone, wherever they are: a directory, a web server, a copy.
 *  Nothing of it is trusted but the log's key. */
import { equalBytes } from '../bytes/bytes.ts'
import { utf8Text } from '../bytes/utf8.ts'
import { Problem } from '../problems.ts'
import { openCheckpoint, type OpenedCheckpoint } from './checkpoint.ts'
import { parseEntryBundle } from './entry-bundle.ts'
import { Frontier, hashBytes, leafHash, verifyConsistency, type TreeNode } from './merkle.ts'
import type { NoteVerifier } from './note.ts'
import {
  consistencyProofFromTiles,
  hashInTile,
  tileAt,
  tileHeight,
  tilePath,
  tileWidth,
  type ReadTile,
} from './tiles.ts'

/** Where a log's files are read from: by path below its prefix, such as `checkpoint` and `tile/0/000.p/5`. */
export interface LogSource {
  read: ReadTile
}

/** The source's checkpoint, verified. Throws `malformed-note`, `malformed-checkpoint`, `note-unverified`, and
 *  `proof-invalid` when the source has none. */
export async function readCheckpoint(source: LogSource, log: NoteVerifier): Promise<OpenedCheckpoint> {
  const note = await source.read('checkpoint')
  if (note === undefined) throw new Problem('proof-invalid', 'the log has no checkpoint')
  return openCheckpoint(utf8Text(note), log)
}

/** A tile or bundle of the tree of `size`, its first `width` items: the partial file or, when that is gone, the
 *  full one that replaced it (c2sp.org/tlog-tiles, partial tiles). */
async function readWidest(
  source: LogSource,
  tile: { level: number | 'entries'; index: number; width: number },
): Promise<Uint8Array> {
  const bytes = await source.read(tilePath(tile))
  if (bytes !== undefined) return bytes
  const full = tile.width < tileWidth ? await source.read(tilePath({ ...tile, width: tileWidth })) : undefined
  if (full === undefined) throw new Problem('proof-invalid', `the log's \`${tilePath(tile)}\` is missing`)
  if (tile.level === 'entries') return full
  return full.subarray(0, tile.width * hashBytes)
}

/** The entries of one bundle of the tree of `size`. Throws `proof-invalid` when it is missing or too short. */
export async function readEntryBundle(source: LogSource, index: number, size: number): Promise<Uint8Array[]> {
  const tile = tileAt('entries', index, size)
  if (tile === undefined) throw new Problem('proof-invalid', `a log of size \`${size}\` has no bundle \`${index}\``)
  const entries = parseEntryBundle(await readWidest(source, tile))
  if (entries.length < tile.width) throw new Problem('proof-invalid', `the log's \`${tilePath(tile)}\` is too short`)
  return entries.slice(0, tile.width)
}

/** Entries from position `from` on, at most `limit`, of the tree of `size`; not verified against a root. */
export async function* readEntries(
  source: LogSource,
  size: number,
  { from = 0, limit = Infinity }: { from?: number; limit?: number } = {},
): AsyncGenerator<{ position: number; entry: Uint8Array }> {
  const end = Math.min(size, from + limit)
  for (let position = from; position < end;) {
    const index = Math.floor(position / tileWidth)
    const entries = await readEntryBundle(source, index, size)
    for (; position < end && position < (index + 1) * tileWidth; position++)
      yield { position, entry: entries[position % tileWidth]! }
  }
}

/** Verifies that every entry, every tile and the root belong together in the tree of the checkpoint. Calls
 *  `onProgress` with the number of entries checked. Throws `proof-invalid` naming the first file that is wrong. */
export async function verifyLogContent(
  source: LogSource,
  { size, rootHash }: { size: number; rootHash: Uint8Array },
  onProgress?: (entries: number) => void,
): Promise<void> {
  const frontier = new Frontier()
  const edges = new TileCheck(source, size)
  for (let index = 0; index * tileWidth < size; index++) {
    for (const entry of await readEntryBundle(source, index, size))
      frontier.append(leafHash(entry), (node, hash) => edges.add(node, hash))
    await edges.check()
    onProgress?.(frontier.size)
  }
  await edges.finish()
  if (!equalBytes(frontier.root(), rootHash))
    throw new Problem('proof-invalid', "the log's entries do not lead to the checkpoint's root hash")
}

/** Compares each tile with the hashes computed from the entries, as they come. */
class TileCheck {
  private readonly source: LogSource
  private readonly size: number
  private readonly open = new Map<number, { index: number; hashes: Uint8Array[] }>()
  private readonly full: { level: number; index: number; hashes: Uint8Array[] }[] = []

  constructor(source: LogSource, size: number) {
    this.source = source
    this.size = size
  }

  add(node: TreeNode, hash: Uint8Array): void {
    if (node.level % tileHeight !== 0) return
    const level = node.level / tileHeight
    const tile = this.open.get(level) ?? { index: 0, hashes: [] }
    tile.hashes.push(hash)
    this.open.set(level, tile)
    if (tile.hashes.length < tileWidth) return
    this.full.push({ level, ...tile })
    this.open.set(level, { index: tile.index + 1, hashes: [] })
  }

  async check(): Promise<void> {
    for (const { level, index, hashes } of this.full.splice(0)) await this.compare(level, index, hashes)
  }

  async finish(): Promise<void> {
    for (const [level, { index, hashes }] of this.open) if (hashes.length > 0) await this.compare(level, index, hashes)
  }

  private async compare(level: number, index: number, hashes: readonly Uint8Array[]): Promise<void> {
    const tile = tileAt(level, index, this.size)!
    const bytes = await readWidest(this.source, tile)
    const same =
      bytes.length === hashes.length * hashBytes && hashes.every((h, i) => equalBytes(h, hashInTile(bytes, i)))
    if (!same) throw new Problem('proof-invalid', `the log's \`${tilePath(tile)}\` does not follow from its entries`)
  }
}

/** Verifies, from the source's tiles, that the newer checkpoint's tree extends the older one's. Throws
 *  `proof-invalid`. */
export async function verifyLogGrowth(
  source: LogSource,
  older: { size: number; rootHash: Uint8Array },
  newer: { size: number; rootHash: Uint8Array },
): Promise<void> {
  const sizes = { oldSize: older.size, newSize: newer.size }
  const trivial = older.size === 0 || older.size >= newer.size
  const proof = trivial ? [] : await consistencyProofFromTiles(older.size, newer.size, source.read)
  verifyConsistency({ ...sizes, oldRoot: older.rootHash, newRoot: newer.rootHash, proof })
}
