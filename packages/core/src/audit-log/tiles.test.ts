import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { concatBytes } from '../bytes/bytes.ts'
import { utf8Bytes } from '../bytes/utf8.ts'
import { Frontier, leafHash, verifyConsistency, verifyInclusion } from './merkle.ts'
import {
  consistencyProofFromTiles,
  inclusionProofFromTiles,
  isTileWithin,
  parseTilePath,
  rightEdgeTiles,
  tileAt,
  tileHeight,
  tilePath,
  tileWidth,
  treeFromTiles,
  type Tile,
} from './tiles.ts'

const { tilePaths: vector } = JSON.parse(
  readFileSync(new URL('../../../../vectors/audit-log.json', import.meta.url), 'utf8'),
)

const maxLeaves = 66_000
const leaves = Array.from({ length: maxLeaves }, (_, i) => leafHash(utf8Bytes(String(i))))
const levels: Uint8Array[][] = []
const whole = new Frontier()
for (const leaf of leaves)
  whole.append(leaf, ({ level }, hash) => {
    if (level % tileHeight === 0) (levels[level / tileHeight] ??= []).push(hash)
  })

/** Gives tiles that lie within the tree of `size`, and counts them. */
function tilesOfSize(size: number, read: string[] = []) {
  return async (path: string): Promise<Uint8Array | undefined> => {
    const tile = parseTilePath(path)
    if (tile === undefined || tile.level === 'entries' || !isTileWithin(tile, size)) return undefined
    read.push(path)
    const start = tile.index * tileWidth
    return concatBytes(...levels[tile.level]!.slice(start, start + tile.width))
  }
}

describe('tile names (c2sp.org/tlog-tiles)', () => {
  test('are those of the specification', () => {
    const { path, ...tile } = vector.index
    assert.equal(tilePath(tile), path)
    assert.deepEqual(parseTilePath(path), tile)
    for (const { size, full, partial } of vector.sizes) {
      assert.deepEqual(rightEdgeTiles(size).map(tilePath), partial)
      for (const [level, count] of Object.entries(full) as [string, number][]) {
        assert.equal(tileAt(Number(level), count - 1, size)?.width, tileWidth)
        assert.notEqual(tileAt(Number(level), count, size)?.width, tileWidth)
      }
    }
    assert.equal(tilePath({ level: 'entries', index: 273, width: 112 }), 'tile/entries/273.p/112')
  })

  test('come back from their path', () => {
    const tiles = fc.record({
      level: fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const)),
      index: fc.oneof(fc.nat({ max: 2000 }), fc.maxSafeNat()),
      width: fc.integer({ min: 1, max: 256 }),
    })
    fc.assert(fc.property(tiles, (tile: Tile) => assert.deepEqual(parseTilePath(tilePath(tile)), { ...tile })))
  })

  test('have one spelling only', () => {
    for (const path of [
      '',
      'tile',
      'tile/0',
      'tile/0/1',
      'tile/0/0001',
      'tile/00/000',
      'tile/64/000',
      'tile/-1/000',
      'tile/0/x000/000',
      'tile/0/001/000',
      'tile/0/x001/x000',
      'tile/0/000.p/0',
      'tile/0/000.p/01',
      'tile/0/000.p/256',
      'tile/0/000.p/999',
      'tile/0/000.p',
      'tile/0/000.p/1/',
      'tile/0/../000',
      'tile/entries/000\n',
      '/tile/0/000',
      'tile/data/000',
      `tile/0/${'x999/'.repeat(5)}999`,
    ])
      assert.equal(parseTilePath(path), undefined, path)
  })
})

describe('proofs from tiles', () => {
  const sizes = fc.oneof(
    fc.constantFrom(1, 255, 256, 257, 65_535, 65_536, 65_537, maxLeaves),
    fc.integer({ min: 1, max: maxLeaves }),
  )

  test('of inclusion and consistency verify at any size', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.nat(), async (a, b, seed) => {
        const [oldSize, newSize] = a < b ? [a, b] : [b, a]
        const index = seed % newSize
        const read = tilesOfSize(newSize)
        const { root: newRoot } = await treeFromTiles(newSize, read)
        const { root: oldRoot } = await treeFromTiles(oldSize, tilesOfSize(oldSize))
        const proof = await inclusionProofFromTiles(index, newSize, read)
        verifyInclusion({ index, size: newSize, leafHash: leaves[index]!, root: newRoot, proof })
        const growth = await consistencyProofFromTiles(oldSize, newSize, read)
        verifyConsistency({ oldSize, newSize, oldRoot, newRoot, proof: growth })
      }),
      { numRuns: 60 },
    )
  })

  test('of a tree root read the right edge only, and let the tree grow on', async () => {
    for (const size of [1, 256, 300, 65_536, 65_536 + 257]) {
      const read: string[] = []
      const { root, frontier } = await treeFromTiles(size, tilesOfSize(size, read))
      assert.deepEqual(read.toSorted(), rightEdgeTiles(size).map(tilePath).toSorted())
      const grown = new Frontier(size, frontier)
      assert.deepEqual(grown.root(), root)
      for (const leaf of leaves.slice(size)) grown.append(leaf)
      assert.deepEqual(grown.root(), whole.root())
    }
    assert.deepEqual((await treeFromTiles(0, tilesOfSize(0))).root, new Frontier().root())
  })

  test('take the full tile where the partial one is gone', async () => {
    const read = async (path: string) => (path === 'tile/0/001.p/44' ? undefined : tilesOfSize(maxLeaves)(path))
    const { root } = await treeFromTiles(300, read)
    assert.deepEqual(root, (await treeFromTiles(300, tilesOfSize(300))).root)
    const proof = await inclusionProofFromTiles(299, 300, read)
    verifyInclusion({ index: 299, size: 300, leafHash: leaves[299]!, root, proof })
  })

  test('fail when a tile is missing or cut short', async () => {
    const invalid = { code: 'proof-invalid' }
    await assert.rejects(inclusionProofFromTiles(3, 300, tilesOfSize(200)), invalid)
    await assert.rejects(
      inclusionProofFromTiles(3, 300, async (path) => (await tilesOfSize(300)(path))?.subarray(1)),
      invalid,
    )
  })
})
