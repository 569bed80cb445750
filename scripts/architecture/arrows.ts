/** The direction of imports: which part of the repository may use which, and that no two folders use each other. */
import { posix } from 'node:path'
import { isTest } from './dependencies.ts'
import { importsOf, type Source } from './source.ts'

/** Part (the longest matching path wins) -> the other parts it may import. */
export type Arrows = Readonly<Record<string, readonly string[]>>

const scope = '@comity/'

/** The part that a path belongs to, or undefined. A part with parts inside has only the files right in it, so that a
 *  new folder must be entered in the table. */
export function partOf(path: string, arrows: Arrows): string | undefined {
  const hasParts = (part: string) => Object.keys(arrows).some((other) => other.startsWith(`${part}/`))
  const isIn = (part: string) => path.startsWith(`${part}/`) && (posix.dirname(path) === part || !hasParts(part))
  const parts = Object.keys(arrows).filter(isIn)
  return parts.toSorted((a, b) => b.length - a.length)[0]
}

/** Repository paths of the files of ours that a file imports. */
export function localImports(source: Source): string[] {
  return importsOf(source).flatMap((name) => {
    if (name.startsWith('.')) return [posix.join(posix.dirname(source.path), name)]
    if (name === '#crypto') return ['packages/core/src/crypto/crypto-node.ts']
    if (!name.startsWith(scope)) return []
    const [folder = '', ...rest] = name.slice(scope.length).split('/')
    return [`packages/${folder}/src/${rest.join('/')}.ts`]
  })
}

/** Imports that go against the arrows. A test beside the code may use what its package's `tests` folder has for all. */
export function wrongImports(source: Source, arrows: Arrows): string[] {
  const from = partOf(source.path, arrows)
  if (from === undefined) return [`${source.path} belongs to no part of the table in architecture.test.ts`]
  return localImports(source).flatMap((target) => {
    const to = partOf(target, arrows)
    if (isTest(source.path) && target.startsWith(`${packageOf(source.path)}/tests/`)) return []
    if (to === from || (to !== undefined && arrows[from]?.includes(to))) return []
    return [`${source.path} must not import ${target}`]
  })
}

function packageOf(path: string): string {
  return path.split('/', 2).join('/')
}

/** Chains of folders that import each other in a circle, each as `a -> b -> a`. The files right in a package's `src`
 *  count as one folder, and so do the folders of `composed`, which are those files' continuation. */
export function folderCycles(sources: readonly Source[], composed: readonly string[]): string[] {
  const graph = folderGraph(sources, composed)
  const cycles: string[] = []
  const done = new Set<string>()
  const visit = (folder: string, trail: readonly string[]): void => {
    const start = trail.indexOf(folder)
    if (start >= 0) cycles.push([...trail.slice(start), folder].join(' -> '))
    if (start >= 0 || done.has(folder)) return
    for (const next of graph.get(folder) ?? []) visit(next, [...trail, folder])
    done.add(folder)
  }
  for (const folder of graph.keys()) visit(folder, [])
  return cycles
}

function folderGraph(sources: readonly Source[], composed: readonly string[]): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>()
  for (const source of sources) {
    const from = folderOf(source.path, composed)
    const edges = graph.get(from) ?? new Set()
    for (const target of localImports(source)) {
      const to = folderOf(target, composed)
      if (to !== from) edges.add(to)
    }
    graph.set(from, edges)
  }
  return graph
}

/** `packages/core/src/jws/compact.ts` -> `packages/core/src/jws`. */
function folderOf(path: string, composed: readonly string[]): string {
  const [packages, name, src, folder, ...rest] = path.split('/')
  const root = [packages, name, src].join('/')
  const inner = rest.length === 0 ? root : `${root}/${folder}`
  return composed.includes(inner) ? root : inner
}
