/** The right edge of the log's tree: the partial tile of each level and the partial entry bundle. It is all that
 *  must be known to extend the log's files. */
import { concatBytes } from '@comity/core/bytes/bytes'
import { encodeEntryBundle } from '@comity/core/audit-log/entry-bundle'
import { Frontier, type TreeNode } from '@comity/core/audit-log/merkle'
import {
  isTileWithin,
  rightEdgeTiles,
  tileAt,
  tileHeight,
  tilePath,
  tileWidth,
  type Tile,
} from '@comity/core/audit-log/tiles'
import type { LogFile } from './log-files.ts'

/** One entry with its leaf hash. */
export interface TreeEntry {
  readonly entry: Uint8Array
  readonly leafHash: Uint8Array
}

export class TreeEdge {
  readonly #frontier: Frontier
  /** Hashes of the partial tile of each level. */
  readonly #levels: Uint8Array[][]
  #bundle: Uint8Array[]
  #completed: { tile: Tile; bytes: Uint8Array }[] = []

  /** The edge of a tree: its compact range, the hashes of its partial tiles by level, its partial bundle. */
  constructor(frontier = new Frontier(), levels: readonly (readonly Uint8Array[])[] = [], bundle: Uint8Array[] = []) {
    this.#frontier = frontier
    this.#levels = levels.map((hashes) => [...hashes])
    this.#bundle = [...bundle]
  }

  get size(): number {
    return this.#frontier.size
  }

  root(): Uint8Array {
    return this.#frontier.root()
  }

  clone(): TreeEdge {
    return new TreeEdge(this.#frontier.clone(), this.#levels, this.#bundle)
  }

  append({ entry, leafHash }: TreeEntry): void {
    this.#bundle.push(entry)
    if (this.#bundle.length === tileWidth) {
      const index = (this.size + 1) / tileWidth - 1
      const tile: Tile = { level: 'entries', index, width: tileWidth }
      this.#completed.push({ tile, bytes: encodeEntryBundle(this.#bundle) })
      this.#bundle = []
    }
    this.#frontier.append(leafHash, this.#visit)
  }

  readonly #visit = ({ level: nodeLevel, index }: TreeNode, hash: Uint8Array): void => {
    if (nodeLevel % tileHeight !== 0) return
    const level = nodeLevel / tileHeight
    const hashes = (this.#levels[level] ??= [])
    hashes.push(hash)
    if (hashes.length < tileWidth) return
    const tile: Tile = { level, index: (index + 1) / tileWidth - 1, width: tileWidth }
    this.#completed.push({ tile, bytes: concatBytes(...hashes) })
    this.#levels[level] = []
  }

  /** The full tiles and bundles completed since the last call. */
  takeCompleted(): LogFile[] {
    return this.#completed.splice(0).map(({ tile, bytes }) => ({ path: tilePath(tile), bytes }))
  }

  /** The partial tiles and bundle of this tree that a tree of `publishedSize` does not have. */
  partialFiles(publishedSize: number): LogFile[] {
    const files = rightEdgeTiles(this.size).map((tile) => ({
      tile,
      bytes: concatBytes(...this.#levels[tile.level as number]!),
    }))
    const bundle = tileAt('entries', Math.floor(this.size / tileWidth), this.size)
    if (bundle !== undefined) files.push({ tile: bundle, bytes: encodeEntryBundle(this.#bundle) })
    return files
      .filter(({ tile }) => !isTileWithin(tile, publishedSize))
      .map(({ tile, bytes }) => ({ path: tilePath(tile), bytes }))
  }
}
