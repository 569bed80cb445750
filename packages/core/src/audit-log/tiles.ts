/** How a log's Merkle tree is cut into static files (c2sp.org/tlog-tiles): names and widths of tiles, and proofs
 *  made from tiles alone. Hash i of tile n at level l is the root of the 256^l leaves from (n·256 + i)·256^l on.
 *
 *      tile/0/x001/x234/067       a full tile: 256 hashes, 8,192 bytes
 *      tile/1/003.p/17            a partial tile at the right edge: 17 hashes
 *      tile/entries/273.p/112     the entries of the leaves of tile/0/273.p/112 */
import { Problem } from '../problems.ts'
import {
  consistencyRanges,
  hashBytes,
  inclusionRanges,
  nodeHash,
  rangeHash,
  rangeNodes,
  type HashAt,
  type LeafRange,
  type TreeNode,
} from './merkle.ts'

/** Hashes in a full tile; entries in a full bundle. */
export const tileWidth = 256

/** Levels of the tree that one level of tiles spans. */
export const tileHeight = 8

/** Names one tile or entry bundle. `width` is 1 to 256, in hashes or entries. */
export interface Tile {
  readonly level: number | 'entries'
  readonly index: number
  readonly width: number
}

/** Reads the bytes of a tile or bundle by its path; undefined when there is none. */
export type ReadTile = (path: string) => Promise<Uint8Array | undefined>

/** Path below the log's prefix, without a leading slash. */
export function tilePath(tile: Tile): string {
  let path = String(tile.index % 1000).padStart(3, '0')
  for (let rest = Math.floor(tile.index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`
  const suffix = tile.width === tileWidth ? '' : `.p/${tile.width}`
  return `tile/${tile.level}/${path}${suffix}`
}

const tilePathPattern = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/

/** Reads a path as `tilePath` writes it; undefined for any other text, since each tile has one name only. */
export function parseTilePath(path: string): Tile | undefined {
  const match = tilePathPattern.exec(path)
  if (match === null) return undefined
  const tile: Tile = {
    level: match[1] === 'entries' ? 'entries' : Number(match[1]),
    index: Number(match[2]!.replaceAll(/[x/]/g, '')),
    width: match[3] === undefined ? tileWidth : Number(match[3]),
  }
  if (tile.width > tileWidth || tile.level === 64 || !Number.isSafeInteger(tile.index)) return undefined
  return tilePath(tile) === path ? tile : undefined
}

/** Number of hashes at a tile level (or of entries) in the tree of `size`: ⌊size / 256^level⌋. */
export function levelWidth(level: number | 'entries', size: number): number {
  return level === 'entries' ? size : Math.floor(size / tileWidth ** level)
}

/** True when the tree of `size` has all that the tile holds. */
export function isTileWithin(tile: Tile, size: number): boolean {
  return tile.index * tileWidth + tile.width <= levelWidth(tile.level, size)
}

/** The widest form of a tile in the tree of `size`; undefined when the tree does not reach it. */
export function tileAt(level: number | 'entries', index: number, size: number): Tile | undefined {
  const width = Math.min(tileWidth, levelWidth(level, size) - index * tileWidth)
  return width > 0 ? { level, index, width } : undefined
}

/** The partial tiles of the tree of `size`, lowest level first: its right edge, from which its root follows. */
export function rightEdgeTiles(size: number): Tile[] {
  const tiles: Tile[] = []
  for (let level = 0; levelWidth(level, size) > 0; level++) {
    const width = levelWidth(level, size) % tileWidth
    if (width > 0) tiles.push({ level, index: Math.floor(levelWidth(level, size) / tileWidth), width })
  }
  return tiles
}

/** The tile from which a node's hash follows in the tree of `size`, and the part of the tile below that node. */
function tileOfNode(node: TreeNode, size: number): { tile: Tile; start: number; end: number } {
  const level = Math.floor(node.level / tileHeight)
  const count = 2 ** (node.level % tileHeight)
  const first = node.index * count
  const tile = tileAt(level, Math.floor(first / tileWidth), size)
  const start = first % tileWidth
  if (tile === undefined || start + count > tile.width)
    throw new Problem('proof-invalid', `the tree of size \`${size}\` has no node ${node.level}/${node.index}`)
  return { tile, start, end: start + count }
}

/** Hash number `i` of a tile's bytes. */
export function hashInTile(tile: Uint8Array, i: number): Uint8Array {
  return tile.subarray(i * hashBytes, (i + 1) * hashBytes)
}

/** The tile, or the full one that replaced it when it is no longer there (c2sp.org/tlog-tiles, Partial Tiles). */
async function readWidened(tile: Tile, readTile: ReadTile): Promise<Uint8Array | undefined> {
  const bytes = await readTile(tilePath(tile))
  if (bytes !== undefined || tile.width === tileWidth) return bytes
  return readTile(tilePath({ ...tile, width: tileWidth }))
}

function subtreeHash(tile: Uint8Array, start: number, end: number): Uint8Array {
  if (end - start === 1) return hashInTile(tile, start)
  const middle = (start + end) / 2
  return nodeHash(subtreeHash(tile, start, middle), subtreeHash(tile, middle, end))
}

/** Reads the tiles that the ranges need, each once, and gives their nodes' hashes. The tiles are not checked
 *  against a root: verify what is made from them. Throws `proof-invalid` when a tile is missing or cut short. */
async function loadHashes(ranges: readonly LeafRange[], size: number, readTile: ReadTile): Promise<HashAt> {
  const paths = new Map<string, Tile>()
  for (const node of ranges.flatMap(rangeNodes)) {
    const { tile } = tileOfNode(node, size)
    paths.set(tilePath(tile), tile)
  }
  const tiles = new Map<string, Uint8Array>()
  await Promise.all(
    [...paths].map(async ([path, tile]) => {
      const bytes = await readWidened(tile, readTile)
      if (bytes === undefined || bytes.length < tile.width * hashBytes)
        throw new Problem('proof-invalid', `the log's \`${path}\` is missing or has the wrong length`)
      tiles.set(path, bytes)
    }),
  )
  return (node) => {
    const { tile, start, end } = tileOfNode(node, size)
    return subtreeHash(tiles.get(tilePath(tile))!, start, end)
  }
}

/** Inclusion proof of leaf `index` in the tree of `size`, from tiles. */
export async function inclusionProofFromTiles(index: number, size: number, readTile: ReadTile): Promise<Uint8Array[]> {
  const ranges = inclusionRanges(index, size)
  const hashAt = await loadHashes(ranges, size, readTile)
  return ranges.map((range) => rangeHash(range, hashAt))
}

/** Consistency proof from `oldSize` to `newSize`, from the tiles of the tree of `newSize`. */
export async function consistencyProofFromTiles(
  oldSize: number,
  newSize: number,
  readTile: ReadTile,
): Promise<Uint8Array[]> {
  const ranges = consistencyRanges(oldSize, newSize)
  const hashAt = await loadHashes(ranges, newSize, readTile)
  return ranges.map((range) => rangeHash(range, hashAt))
}

/** Root hash of the tree of `size`, and those of its perfect subtrees (for a `Frontier`), from its right edge. */
export async function treeFromTiles(
  size: number,
  readTile: ReadTile,
): Promise<{ root: Uint8Array; frontier: Uint8Array[] }> {
  const range = { start: 0, end: size }
  const hashAt = await loadHashes([range], size, readTile)
  return { root: rangeHash(range, hashAt), frontier: rangeNodes(range).map(hashAt) }
}
