/** Every module that a bundler for browsers would put into the bundle, found as it finds them: types erased, the
 *  conditions `browser`, `import` and `default` of each `package.json`. */
import { readFileSync } from 'node:fs'
import { isBuiltin, stripTypeScriptTypes } from 'node:module'
import { dirname, join, relative } from 'node:path'
import ts from 'typescript'

export interface ModuleGraph {
  /** Paths below the root, in the order found. */
  readonly files: readonly string[]
  /** `importing file -> module of Node`. */
  readonly builtins: readonly string[]
  /** `importing file -> what nobody found`. */
  readonly missing: readonly string[]
}

/** Walks from `entry`; `root` is where paths are told from. */
export function moduleGraph(entry: string, root: string): ModuleGraph {
  const files: string[] = []
  const builtins: string[] = []
  const missing: string[] = []
  const open = [entry]
  for (let file = open.shift(); file !== undefined; file = open.shift()) {
    const path = relative(root, file)
    if (files.includes(path)) continue
    files.push(path)
    for (const specifier of importsOf(file)) {
      const found = isBuiltin(specifier) ? undefined : resolve(specifier, file)
      if (found !== undefined) open.push(found)
      else (isBuiltin(specifier) ? builtins : missing).push(`${path} -> ${specifier}`)
    }
  }
  return { files, builtins, missing }
}

/** A module as a browser can run it by itself: types erased, each import as a path from `root`. */
export function browserModule(file: string, root: string): string {
  const code = codeOf(file)
  return specifiersIn(code)
    .toReversed()
    .reduce((text, specifier) => {
      const found = resolve(specifier.text, file)
      if (found === undefined) return text
      const path = JSON.stringify(`/${relative(root, found)}`)
      return text.slice(0, specifier.getStart()) + path + text.slice(specifier.getEnd())
    }, code)
}

function codeOf(file: string): string {
  const text = readFileSync(file, 'utf8')
  return file.endsWith('.ts') ? stripTypeScriptTypes(text) : text
}

function importsOf(file: string): string[] {
  return specifiersIn(codeOf(file)).map(({ text }) => text)
}

/** In the order of the text. */
function specifiersIn(code: string): ts.StringLiteralLike[] {
  const found: ts.StringLiteralLike[] = []
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node)
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) found.push(specifier)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('module.js', code, ts.ScriptTarget.Latest, true))
  return found
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier
  if (!ts.isCallExpression(node)) return undefined
  const callee = node.expression
  const isRequire = ts.isIdentifier(callee) && callee.text === 'require'
  return isRequire || callee.kind === ts.SyntaxKind.ImportKeyword ? node.arguments[0] : undefined
}

type Target = string | { readonly [condition: string]: Target } | null | undefined

interface Manifest {
  readonly name?: string
  readonly module?: string
  readonly browser?: unknown
  readonly main?: string
  readonly exports?: Target
  readonly imports?: Readonly<Record<string, Target>>
}

const conditions = ['browser', 'import', 'module', 'default']

function resolve(specifier: string, from: string): string | undefined {
  if (specifier.startsWith('.')) return existing(join(dirname(from), specifier))
  if (specifier.startsWith('#')) return ownImport(specifier, dirname(from))
  const [, name = '', rest = ''] = /^(@[^/]+\/[^/]+|[^/]+)(\/.*)?$/.exec(specifier) ?? []
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const found = inPackage(join(folder, 'node_modules', name), `.${rest}`)
    if (found !== undefined || folder === dirname(folder)) return found
  }
}

function ownImport(specifier: string, folder: string): string | undefined {
  const manifest = manifestIn(folder)
  if (manifest !== undefined) return chosen(folder, manifest.imports?.[specifier])
  return folder === dirname(folder) ? undefined : ownImport(specifier, dirname(folder))
}

function inPackage(folder: string, subpath: string): string | undefined {
  const manifest = manifestIn(folder)
  if (manifest === undefined) return undefined
  const { exports } = manifest
  if (exports === undefined || exports === null) {
    return existing(join(folder, subpath === '.' ? (manifest.module ?? manifest.main ?? 'index.js') : subpath))
  }
  if (typeof exports === 'string' || !Object.keys(exports).some((key) => key.startsWith('.')))
    return chosen(folder, exports)
  if (exports[subpath] !== undefined) return chosen(folder, exports[subpath])
  for (const [pattern, target] of Object.entries(exports)) {
    const [start = '', end] = pattern.split('*')
    if (end === undefined || !subpath.startsWith(start) || !subpath.endsWith(end)) continue
    return chosen(folder, target, subpath.slice(start.length, subpath.length - end.length))
  }
  return undefined
}

function chosen(folder: string, target: Target, star = ''): string | undefined {
  if (typeof target === 'string') return existing(join(folder, target.replaceAll('*', star)))
  if (target === null || target === undefined) return undefined
  const condition = Object.keys(target).find((key) => conditions.includes(key))
  return condition === undefined ? undefined : chosen(folder, target[condition], star)
}

function existing(path: string): string | undefined {
  return ['', '.js', '/index.js'].map((end) => path + end).find((file) => ts.sys.fileExists(file))
}

function manifestIn(folder: string): Manifest | undefined {
  const path = join(folder, 'package.json')
  return ts.sys.fileExists(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Manifest) : undefined
}
