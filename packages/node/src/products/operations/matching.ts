/** Finding the operation of a call: a tree of path segments, literal ones tried before those with a parameter. */
import type { Operation } from './operations.ts'
import type { ParameterSegment } from './path-template.ts'

interface Branch {
  readonly segment: ParameterSegment
  readonly node: Node
}

interface Node {
  readonly literals: Map<string, Node>
  /** Longest fixed text first, the bare parameter last. */
  readonly branches: Branch[]
  readonly operations: Map<string, Operation>
}

/** All operations of a product, ready to be found. */
export interface OperationTree {
  readonly root: Node
}

/** The operation and its path parameters, in template order, still escaped as in the normalised path. */
export interface OperationMatch {
  readonly operation: Operation
  readonly pathParameters: readonly string[]
}

const newNode = (): Node => ({ literals: new Map(), branches: [], operations: new Map() })
const fixedLength = ({ segment }: Branch) => segment.prefix.length + segment.suffix.length

/** Builds the tree. */
export function buildOperationTree(operations: readonly Operation[]): OperationTree {
  const root = newNode()
  for (const operation of operations) {
    let node = root
    for (const segment of operation.template.segments) {
      node = typeof segment === 'string' ? literalChild(node, segment) : branchChild(node, segment)
    }
    node.operations.set(operation.method, operation)
  }
  return { root }
}

function literalChild(node: Node, segment: string): Node {
  let child = node.literals.get(segment)
  if (child === undefined) node.literals.set(segment, (child = newNode()))
  return child
}

function branchChild(node: Node, segment: ParameterSegment): Node {
  const same = ({ segment: { prefix, suffix } }: Branch) => prefix === segment.prefix && suffix === segment.suffix
  let branch = node.branches.find(same)
  if (branch === undefined) {
    node.branches.push((branch = { segment, node: newNode() }))
    node.branches.sort((a, b) => fixedLength(b) - fixedLength(a))
  }
  return branch.node
}

/** Finds the operation of a method and a normalised path. The most literal template that matches the path is the
 *  only one that counts: when it lacks the method, `allow` lists those it has, sorted. */
export function matchOperation(
  tree: OperationTree,
  method: string,
  path: string,
): OperationMatch | 'not-found' | { readonly allow: readonly string[] } {
  const segments = path.slice(1).split('/')
  const pathParameters: string[] = []
  const node = find(tree.root, { segments, pathParameters }, 0)
  if (node === undefined) return 'not-found'
  const operation = node.operations.get(method)
  return operation === undefined ? { allow: [...node.operations.keys()].toSorted() } : { operation, pathParameters }
}

interface Search {
  readonly segments: readonly string[]
  readonly pathParameters: string[]
}

/** Depth first; every node is entered at most once, so the cost is bounded by the size of the tree. */
function find(node: Node, search: Search, index: number): Node | undefined {
  const segment = search.segments[index]
  if (segment === undefined) return node.operations.size > 0 ? node : undefined
  const literal = node.literals.get(segment)
  const found = literal === undefined ? undefined : find(literal, search, index + 1)
  if (found !== undefined) return found
  for (const branch of node.branches) {
    const value = valueOf(branch.segment, segment)
    if (value === undefined) continue
    search.pathParameters.push(value)
    const below = find(branch.node, search, index + 1)
    if (below !== undefined) return below
    search.pathParameters.pop()
  }
  return undefined
}

/** The parameter's part of a segment, at least one character long. */
function valueOf({ prefix, suffix }: ParameterSegment, segment: string): string | undefined {
  if (segment.length <= prefix.length + suffix.length) return undefined
  if (!segment.startsWith(prefix) || !segment.endsWith(suffix)) return undefined
  return segment.slice(prefix.length, segment.length - suffix.length)
}
