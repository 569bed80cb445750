/** The Merkle tree of RFC 6962 §2.1 over SHA-256: hashes, the compact range that a writer keeps, and inclusion and
 *  consistency proofs, made (RFC 6962 §2.1.1, §2.1.2) and verified (RFC 9162 §2.1.3.2, §2.1.4.2).
 *  Sizes and indices are JavaScript safe integers; no 32-bit operators, so trees may pass 2³¹ leaves. */
import { sha256 } from '#crypto'
import { equalBytes } from '../bytes/bytes.ts'
import { Problem } from '../problems.ts'

/** Bytes of every hash in the tree. */
export const hashBytes = 32

/** A perfect subtree: the 2^level leaves from index·2^level on. Level 0 is a leaf. */
export interface TreeNode {
  readonly level: number
  readonly index: number
}

/** The leaves from `start` up to but not including `end`. */
export interface LeafRange {
  readonly start: number
  readonly end: number
}

/** Where a proof gets the hashes of perfect subtrees from. */
export type HashAt = (node: TreeNode) => Uint8Array

const nodeInput = new Uint8Array(1 + 2 * hashBytes)
nodeInput[0] = 1

/** Hash of a leaf: SHA-256(0x00 ‖ entry). */
export function leafHash(entry: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + entry.length)
  input.set(entry, 1)
  return sha256(input)
}

/** Hash of an inner node: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + hashBytes)
  return sha256(nodeInput)
}

/** Root hash of the tree with no leaves: SHA-256 of nothing. */
export function emptyTreeHead(): Uint8Array {
  return sha256('')
}

/** Root of the tree over these leaf hashes, by the definition of RFC 6962 §2.1. */
export function treeHead(leafHashes: readonly Uint8Array[]): Uint8Array {
  if (leafHashes.length === 0) return emptyTreeHead()
  return headOf(leafHashes, 0, leafHashes.length)
}

function headOf(hashes: readonly Uint8Array[], start: number, end: number): Uint8Array {
  if (end - start === 1) return hashes[start]!
  const middle = start + splitPoint(end - start)
  return nodeHash(headOf(hashes, start, middle), headOf(hashes, middle, end))
}

/** Largest power of two below `count`, which is at least 2. */
function splitPoint(count: number): number {
  let power = 1
  while (power * 2 < count) power *= 2
  return power
}

/** Compact range of a tree: the roots of its perfect subtrees, largest first. All that is needed to append. */
export class Frontier {
  private readonly roots: Uint8Array[]
  private count: number

  /** `roots` are those of the tree of `size` leaves, as `rangeNodes({ start: 0, end: size })` orders them. */
  constructor(size = 0, roots: readonly Uint8Array[] = []) {
    this.count = size
    this.roots = [...roots]
  }

  /** Number of leaves. */
  get size(): number {
    return this.count
  }

  /** Adds a leaf. `visit` is called with every perfect subtree that it completes, the leaf itself first. */
  append(leaf: Uint8Array, visit?: (node: TreeNode, hash: Uint8Array) => void): void {
    let hash = leaf
    let index = this.count
    let level = 0
    visit?.({ level, index }, hash)
    while (index % 2 === 1) {
      hash = nodeHash(this.roots.pop()!, hash)
      index = (index - 1) / 2
      level++
      visit?.({ level, index }, hash)
    }
    this.roots.push(hash)
    this.count++
  }

  /** Root hash of the tree so far. */
  root(): Uint8Array {
    return foldRight(this.roots)
  }

  clone(): Frontier {
    return new Frontier(this.count, this.roots)
  }
}

function foldRight(hashes: readonly Uint8Array[]): Uint8Array {
  let hash = hashes.at(-1)
  if (hash === undefined) return emptyTreeHead()
  for (let i = hashes.length - 2; i >= 0; i--) hash = nodeHash(hashes[i]!, hash)
  return hash
}

/** The perfect subtrees that make up a range, left to right. The range must start at a multiple of its length
 *  rounded up to a power of two, as those of a whole tree and of its proofs do. */
export function rangeNodes(range: LeafRange): TreeNode[] {
  const nodes: TreeNode[] = []
  let start = range.start
  while (start < range.end) {
    let level = 0
    let width = 1
    while (width * 2 <= range.end - start) {
      width *= 2
      level++
    }
    nodes.push({ level, index: start / width })
    start += width
  }
  return nodes
}

/** Hash of a range such as `rangeNodes` takes. */
export function rangeHash(range: LeafRange, hashAt: HashAt): Uint8Array {
  return foldRight(rangeNodes(range).map(hashAt))
}

/** The ranges whose hashes are the inclusion proof of a leaf, leaf to root. Throws `proof-invalid` when the tree
 *  has no such leaf. */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  if (!isCount(index) || !isCount(size) || index >= size)
    throw new Problem('proof-invalid', `a tree of size \`${size}\` has no leaf \`${index}\``)
  const ranges: LeafRange[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + splitPoint(end - start)
    ranges.push(index < middle ? { start: middle, end } : { start, end: middle })
    if (index < middle) end = middle
    else start = middle
  }
  return ranges.toReversed()
}

/** The ranges whose hashes are the proof that the tree of `newSize` extends that of `oldSize`. Throws
 *  `proof-invalid` unless oldSize ≤ newSize. Nothing needs proof from size 0 or between equal sizes. */
export function consistencyRanges(oldSize: number, newSize: number): LeafRange[] {
  if (!isCount(oldSize) || !isCount(newSize) || oldSize > newSize)
    throw new Problem('proof-invalid', `a tree of size \`${newSize}\` cannot extend one of size \`${oldSize}\``)
  if (oldSize === 0) return []
  const ranges: LeafRange[] = []
  let start = 0
  let end = newSize
  while (end !== oldSize) {
    const middle = start + splitPoint(end - start)
    ranges.push(oldSize <= middle ? { start: middle, end } : { start, end: middle })
    if (oldSize <= middle) end = middle
    else start = middle
  }
  if (start > 0) ranges.push({ start, end })
  return ranges.toReversed()
}

/** Audit path of a leaf, leaf to root. */
export function inclusionProof(index: number, size: number, hashAt: HashAt): Uint8Array[] {
  return inclusionRanges(index, size).map((range) => rangeHash(range, hashAt))
}

/** Consistency proof between two sizes of one tree. */
export function consistencyProof(oldSize: number, newSize: number, hashAt: HashAt): Uint8Array[] {
  return consistencyRanges(oldSize, newSize).map((range) => rangeHash(range, hashAt))
}

/** What an inclusion proof claims. */
export interface InclusionClaim {
  readonly index: number
  readonly size: number
  readonly leafHash: Uint8Array
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** Throws `proof-invalid` unless the leaf is at `index` of the tree (RFC 9162 §2.1.3.2). */
export function verifyInclusion(claim: InclusionClaim): void {
  const { index, size, proof } = claim
  if (!isCount(index) || !isCount(size) || index >= size) throw invalid('the index is outside the tree')
  let fn = index
  let sn = size - 1
  let hash = claim.leafHash
  for (const sibling of proof) {
    if (sn === 0 || sibling.length !== hashBytes) throw invalid('the inclusion proof has the wrong length')
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(sibling, hash)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)]
    } else hash = nodeHash(hash, sibling)
    ;[fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)]
  }
  if (sn !== 0) throw invalid('the inclusion proof is too short')
  if (!equalBytes(hash, claim.root)) throw invalid('the inclusion proof leads to another root')
}

/** What a consistency proof claims. */
export interface ConsistencyClaim {
  readonly oldSize: number
  readonly newSize: number
  readonly oldRoot: Uint8Array
  readonly newRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** Throws `proof-invalid` unless the new tree extends the old one (RFC 9162 §2.1.4.2). From size 0, whose root must
 *  be that of the empty tree, and between equal sizes the proof must be empty. */
export function verifyConsistency(claim: ConsistencyClaim): void {
  const { oldSize, newSize, oldRoot, newRoot, proof } = claim
  if (!isCount(oldSize) || !isCount(newSize) || oldSize > newSize) throw invalid('the log became smaller')
  if (oldSize === 0 || oldSize === newSize) {
    if (proof.length > 0) throw invalid('the consistency proof has the wrong length')
    const expected = oldSize === newSize ? newRoot : emptyTreeHead()
    if (!equalBytes(oldRoot, expected)) throw invalid('the log has another root at the same size')
    if (newSize === 0 && !equalBytes(newRoot, emptyTreeHead())) throw invalid('the empty log has another root')
    return
  }
  verifyGrowth(claim)
}

function verifyGrowth({ oldSize, newSize, oldRoot, newRoot, proof }: ConsistencyClaim): void {
  let fn = oldSize - 1
  let sn = newSize - 1
  while (fn % 2 === 1) [fn, sn] = [(fn - 1) / 2, Math.floor(sn / 2)]
  // fn is 0 here exactly when the old size is a power of two; its root then starts the proof unwritten.
  const path = fn === 0 ? [oldRoot, ...proof] : proof
  const first = path[0]
  if (first === undefined || path.some((hash) => hash.length !== hashBytes))
    throw invalid('the consistency proof has the wrong length')
  let oldHash = first
  let newHash = first
  for (const hash of path.slice(1)) {
    if (sn === 0) throw invalid('the consistency proof is too long')
    if (fn % 2 === 1 || fn === sn) {
      oldHash = nodeHash(hash, oldHash)
      newHash = nodeHash(hash, newHash)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)]
    } else newHash = nodeHash(newHash, hash)
    ;[fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)]
  }
  if (sn !== 0) throw invalid('the consistency proof is too short')
  if (!equalBytes(oldHash, oldRoot)) throw invalid('the consistency proof leads to another old root')
  if (!equalBytes(newHash, newRoot)) throw invalid('the consistency proof leads to another new root')
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function invalid(detail: string): Problem {
  return new Problem('proof-invalid', detail)
}
