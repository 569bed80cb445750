/** Source files as the architecture rules see them: path from the repository's root, text, syntax tree. */
import { globSync, readFileSync } from 'node:fs'
import ts from 'typescript'

export interface Source {
  /** Path from the repository's root, with `/`. */
  readonly path: string
  readonly text: string
  readonly tree: ts.SourceFile
}

/** A source from text, for files and for the made-up ones that show a rule failing. */
export function sourceOf(path: string, text: string): Source {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true) }
}

/** Reads the files that match; `node_modules` is never among them. */
export function readSources(patterns: readonly string[]): Source[] {
  const paths = globSync([...patterns], { exclude: (path) => path.includes('node_modules') })
  return paths.toSorted().map((path) => sourceOf(path.replaceAll('\\', '/'), readFileSync(path, 'utf8')))
}

/** Every node of the tree, parents first. */
export function* nodesOf(source: Source): Generator<ts.Node> {
  const waiting: ts.Node[] = [source.tree]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    yield node
    const children: ts.Node[] = []
    ts.forEachChild(node, (child) => void children.push(child))
    waiting.push(...children.toReversed())
  }
}

/** `path:line` of a node, as editors open it. */
export function placeOf(source: Source, node: ts.Node): string {
  return `${source.path}:${source.tree.getLineAndCharacterOfPosition(node.getStart(source.tree)).line + 1}`
}

/** What a file imports, exports from, or loads with `import()`; type-only ones included. */
export function importsOf(source: Source): string[] {
  return ts.preProcessFile(source.text, true, true).importedFiles.map(({ fileName }) => fileName)
}
