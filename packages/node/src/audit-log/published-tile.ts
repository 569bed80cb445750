/** Reads tiles and bundles of the published tree from the log's files. */
import { encodeEntryBundle, parseEntryBundle } from '@comity/core/audit-log/entry-bundle'
import { hashBytes } from '@comity/core/audit-log/merkle'
import { isTileWithin, parseTilePath, tileAt, tilePath, tileWidth, type Tile } from '@comity/core/audit-log/tiles'
import type { LogFiles } from './log-files.ts'

/** The bytes of a tile by its path; undefined when the path names none of the tree of `size`. A partial tile that
 *  is not there (any more) is cut from a wider one, so readers with an older checkpoint find it still. */
export async function readPublishedTile(files: LogFiles, path: string, size: number): Promise<Uint8Array | undefined> {
  const tile = parseTilePath(path)
  if (tile === undefined || !isTileWithin(tile, size)) return undefined
  const bytes = await files.read(path)
  if (bytes !== undefined || tile.width === tileWidth) return bytes
  const published = tileAt(tile.level, tile.index, size)!
  const wider = (await files.read(tilePath(published))) ?? (await files.read(tilePath({ ...tile, width: tileWidth })))
  return wider && narrowed(tile, wider)
}

function narrowed({ level, width }: Tile, wider: Uint8Array): Uint8Array {
  if (level !== 'entries') return wider.subarray(0, width * hashBytes)
  return encodeEntryBundle(parseEntryBundle(wider).slice(0, width))
}
