import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { sha256 } from '#crypto'
import { decodeBase64, encodeBase64 } from '../bytes/base64.ts'
import { utf8Bytes } from '../bytes/utf8.ts'
import {
  consistencyProof,
  emptyTreeHead,
  Frontier,
  inclusionProof,
  leafHash,
  nodeHash,
  rangeHash,
  rangeNodes,
  treeHead,
  verifyConsistency,
  verifyInclusion,
  type HashAt,
} from './merkle.ts'

const { rfc6962Trees: vector } = JSON.parse(
  readFileSync(new URL('../../../../vectors/audit-log.json', import.meta.url), 'utf8'),
)

const maxLeaves = 400
const leaves = Array.from({ length: maxLeaves }, (_, i) => leafHash(utf8Bytes(String(i))))
const heads = Array.from({ length: maxLeaves + 1 }, (_, size) => treeHead(leaves.slice(0, size)))
const invalid = { code: 'proof-invalid' }

/** Hashes by definition, straight from the leaves. */
const hashAt: HashAt = ({ level, index }) => treeHead(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))

function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes)
  const at = Math.floor(bit / 8) % bytes.length
  flipped[at] = flipped[at]! ^ (1 << (bit % 8))
  return flipped
}

describe('RFC 6962 §2.1 Merkle tree', () => {
  test('gives the roots of the reference implementation', () => {
    for (const [size, root] of Object.entries(vector.roots)) {
      assert.equal(encodeBase64(treeHead(leaves.slice(0, Number(size)))), root)
    }
  })

  test('gives the inclusion and consistency proofs of the reference implementation', () => {
    for (const { index, size, proof } of vector.inclusion)
      assert.deepEqual(inclusionProof(index, size, hashAt).map(encodeBase64), proof)
    for (const { oldSize, newSize, proof } of vector.consistency)
      assert.deepEqual(consistencyProof(oldSize, newSize, hashAt).map(encodeBase64), proof)
  })

  test('verifies the proofs of the reference implementation', () => {
    for (const { index, size, proof } of vector.inclusion)
      verifyInclusion({ index, size, leafHash: leaves[index]!, root: heads[size]!, proof: proof.map(decodeBase64) })
    for (const { oldSize, newSize, proof } of vector.consistency)
      verifyConsistency({
        oldSize,
        newSize,
        oldRoot: heads[oldSize]!,
        newRoot: heads[newSize]!,
        proof: proof.map(decodeBase64),
      })
  })

  test('tells leaves, nodes and the empty tree apart by their first byte', () => {
    assert.deepEqual(emptyTreeHead(), sha256(''))
    assert.deepEqual(leafHash(new Uint8Array()), sha256(Uint8Array.of(0)))
    const [a, b] = [leaves[0]!, leaves[1]!]
    assert.deepEqual(nodeHash(a, b), sha256(Uint8Array.of(1, ...a, ...b)))
  })
})

describe('compact range', () => {
  test('has the root of the definition at every size, and reports each perfect subtree once', () => {
    const frontier = new Frontier()
    const seen = new Set<string>()
    for (const [i, leaf] of leaves.entries()) {
      assert.deepEqual(frontier.root(), heads[i])
      frontier.append(leaf, (node, hash) => {
        const name = `${node.level}/${node.index}`
        assert.ok(!seen.has(name))
        seen.add(name)
        assert.deepEqual(hash, hashAt(node))
      })
      assert.equal(frontier.size, i + 1)
    }
    assert.equal(
      seen.size,
      Array.from({ length: 9 }, (_, level) => Math.floor(maxLeaves / 2 ** level)).reduce((a, b) => a + b),
    )
  })

  test('goes on from the perfect subtrees of any size', () => {
    for (const size of [0, 1, 2, 3, 7, 8, 255, 256, 257, 399]) {
      const frontier = new Frontier(size, rangeNodes({ start: 0, end: size }).map(hashAt))
      const copy = frontier.clone()
      for (const leaf of leaves.slice(size)) frontier.append(leaf)
      assert.deepEqual(frontier.root(), heads[maxLeaves])
      assert.deepEqual(copy.root(), heads[size], 'a clone does not follow')
    }
  })

  test('counts past 2³¹ leaves', () => {
    const size = 2 ** 40 + 1
    const roots = [leaves[0]!, leaves[1]!]
    const frontier = new Frontier(size, roots)
    frontier.append(leaves[2]!)
    assert.equal(frontier.size, size + 1)
    assert.deepEqual(frontier.root(), nodeHash(leaves[0]!, nodeHash(leaves[1]!, leaves[2]!)))
    assert.deepEqual(rangeNodes({ start: 0, end: size }), [
      { level: 40, index: 0 },
      { level: 0, index: 2 ** 40 },
    ])
    const proof = inclusionProof(2 ** 40, size, () => leaves[0]!)
    assert.deepEqual(proof, [leaves[0]])
    verifyInclusion({ index: 2 ** 40, size, leafHash: leaves[1]!, root: nodeHash(leaves[0]!, leaves[1]!), proof })
  })
})

const sizes = fc.integer({ min: 1, max: maxLeaves })

describe('inclusion proofs (RFC 9162 §2.1.3)', () => {
  test('of every leaf of every small tree verify', () => {
    for (let size = 1; size <= 33; size++)
      for (let index = 0; index < size; index++)
        verifyInclusion({
          index,
          size,
          leafHash: leaves[index]!,
          root: heads[size]!,
          proof: inclusionProof(index, size, hashAt),
        })
  })

  test('verify at any size, and fail with any bit, index or size changed', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, indexSeed, bit) => {
        const index = indexSeed % size
        const proof = inclusionProof(index, size, hashAt)
        const claim = { index, size, leafHash: leaves[index]!, root: heads[size]!, proof }
        verifyInclusion(claim)
        const wrong = [
          { ...claim, leafHash: flipBit(claim.leafHash, bit) },
          { ...claim, root: flipBit(claim.root, bit) },
          ...proof.map((hash, i) => ({ ...claim, proof: proof.with(i, flipBit(hash, bit)) })),
          { ...claim, index: index + 1 },
          { ...claim, size: index },
          { ...claim, proof: [...proof, leaves[0]!] },
          ...(proof.length > 0 ? [{ ...claim, proof: proof.slice(1) }] : []),
        ]
        for (const each of wrong) assert.throws(() => verifyInclusion(each), invalid)
      }),
      { numRuns: 150 },
    )
  })

  test('cannot be made or verified for a leaf outside the tree', () => {
    for (const [index, size] of [
      [0, 0],
      [3, 3],
      [-1, 3],
      [0.5, 3],
      [NaN, 3],
      [1, Infinity],
      [2 ** 53, 2 ** 54],
    ] as const) {
      assert.throws(() => inclusionProof(index, size, hashAt), invalid)
      assert.throws(() => verifyInclusion({ index, size, leafHash: leaves[0]!, root: heads[1]!, proof: [] }), invalid)
    }
  })
})

describe('consistency proofs (RFC 9162 §2.1.4)', () => {
  test('between every two small sizes verify', () => {
    for (let newSize = 0; newSize <= 33; newSize++)
      for (let oldSize = 0; oldSize <= newSize; oldSize++)
        verifyConsistency({
          oldSize,
          newSize,
          oldRoot: heads[oldSize]!,
          newRoot: heads[newSize]!,
          proof: consistencyProof(oldSize, newSize, hashAt),
        })
  })

  test('verify at any sizes, and fail with any bit changed, a hash too many or too few', () => {
    fc.assert(
      fc.property(sizes, sizes, fc.nat(), (a, b, bit) => {
        const [oldSize, newSize] = a < b ? [a, b] : [b, a]
        const proof = consistencyProof(oldSize, newSize, hashAt)
        const claim = { oldSize, newSize, oldRoot: heads[oldSize]!, newRoot: heads[newSize]!, proof }
        verifyConsistency(claim)
        const wrong = [
          { ...claim, oldRoot: flipBit(claim.oldRoot, bit) },
          { ...claim, newRoot: flipBit(claim.newRoot, bit) },
          ...proof.map((hash, i) => ({ ...claim, proof: proof.with(i, flipBit(hash, bit)) })),
          { ...claim, proof: [...proof, leaves[0]!] },
          ...(proof.length > 0
            ? [
                { ...claim, proof: proof.slice(1) },
                { ...claim, proof: proof.slice(0, -1) },
              ]
            : []),
        ]
        for (const each of wrong) assert.throws(() => verifyConsistency(each), invalid)
      }),
      { numRuns: 150 },
    )
  })

  test('refuse a log that shrank, forked at one size, or started with another empty root', () => {
    const base = { oldSize: 3, newSize: 3, oldRoot: heads[3]!, newRoot: heads[3]!, proof: [] }
    verifyConsistency(base)
    assert.throws(() => verifyConsistency({ ...base, newSize: 2, newRoot: heads[2]! }), invalid)
    assert.throws(() => verifyConsistency({ ...base, newRoot: heads[4]! }), invalid)
    assert.throws(() => verifyConsistency({ ...base, oldSize: 0 }), invalid)
    assert.throws(() => verifyConsistency({ ...base, oldSize: 0, newSize: 0 }), invalid)
    assert.throws(() => consistencyProof(4, 3, hashAt), invalid)
  })

  test('name ranges whose hashes are those of the definition', () => {
    assert.deepEqual(rangeHash({ start: 256, end: 400 }, hashAt), treeHead(leaves.slice(256, 400)))
  })
})
