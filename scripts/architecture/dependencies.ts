/** Rules for what comes from outside: declared by the package that uses it, and in `core` only what was vetted. */
import { builtinModules } from 'node:module'
import { importsOf, type Source } from './source.ts'

/** The part of a package.json that counts here. */
export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

const builtins: ReadonlySet<string> = new Set(builtinModules)

/** Package names that a file imports from `node_modules`, sub-paths cut off, our own packages included. */
export function packagesImported(source: Source): string[] {
  return importsOf(source)
    .filter((name) => !name.startsWith('.') && !name.startsWith('#') && !name.startsWith('node:'))
    .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
}

/** Imports that the workspace's own package.json does not declare. A hoisted package would be found all the same, until
 *  somebody installs that workspace alone. Tests may use the root's devDependencies too. */
export function undeclaredImports(source: Source, own: Manifest, root: Manifest): string[] {
  const declared = new Set(Object.keys({ ...own.dependencies, ...(isTest(source.path) ? root.devDependencies : {}) }))
  const itself = `@comity/${source.path.split('/')[1]}`
  return packagesImported(source)
    .filter((name) => !declared.has(name) && name !== itself)
    .map((name) =>
      builtins.has(name)
        ? `${source.path} must import \`node:${name}\` by that name`
        : `${source.path} imports \`${name}\`, which its package.json does not declare`,
    )
}

/** What `core` may not import: anything of Node (but in the file that is made of it) and what nobody vetted. */
export function unvettedImports(source: Source, vetted: readonly string[], nodeFiles: readonly string[]): string[] {
  const ofNode = importsOf(source).filter((name) => name.startsWith('node:'))
  const foreign = packagesImported(source).filter((name) => !vetted.includes(name) && name !== '@comity/core')
  return [...(nodeFiles.includes(source.path) ? [] : ofNode), ...foreign].map(
    (name) => `${source.path} must not import \`${name}\``,
  )
}

/** Tests, contract suites and what only they use. */
export function isTest(path: string): boolean {
  return /\.test\.ts$|-contract\.ts$|-vectors\.ts$|-test-[a-z]+\.ts$|\/test-[a-z-]+\.ts$|^packages\/[a-z-]+\/tests\//.test(
    path,
  )
}
