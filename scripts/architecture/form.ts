/** The form of a file: a header that says what it is for, faces without surprises, a length that can be read. */
import ts from 'typescript'
import { nodesOf, placeOf, type Source } from './source.ts'

/** What about the form of one file goes against STYLE.md, wherever it lies. */
export function formFaults(source: Source, maxLines: number): string[] {
  return [...headerFaults(source), ...lengthFaults(source, maxLines), ...exportFaults(source), ...commentFaults(source)]
}

/** The first thing in a file is a comment of one to a few lines. A `#!` line may stand before it. */
export function headerFaults({ path, text }: Source): string[] {
  const body = text.replace(/^#!.*\n/, '')
  return /^\/\*\*[\s\S]{15,}?\*\//.test(body) ? [] : [`${path} must begin with a comment that says what it is for`]
}

export function lengthFaults({ path, text }: Source, maxLines: number): string[] {
  const lines = text.trimEnd().split('\n').length
  return lines > maxLines ? [`${path} has ${lines} lines, ${maxLines} is the limit`] : []
}

/** No `export *`, no default export, no barrels, no kinds as names. */
export function exportFaults(source: Source): string[] {
  const named = /(?:^|\/)index\.ts$/.test(source.path)
    ? [`${source.path}: import the file that holds the thing instead`]
    : []
  const kinds = /\/(?:utils?|helpers?|services|types|common|misc|shared)(?:\/|\.ts$)/.test(source.path)
  const faults = [...nodesOf(source)].flatMap((node) => {
    if (ts.isExportAssignment(node) || isDefault(node)) return [`${placeOf(source, node)} must not export by default`]
    const all = ts.isExportDeclaration(node) && node.exportClause === undefined
    return all ? [`${placeOf(source, node)} must not \`export *\``] : []
  })
  return [...named, ...(kinds ? [`${source.path} is named after a kind, not after what it holds`] : []), ...faults]
}

function isDefault(node: ts.Node): boolean {
  return (
    ts.canHaveModifiers(node) && (ts.getModifiers(node)?.some((m) => m.kind === ts.SyntaxKind.DefaultKeyword) ?? false)
  )
}

/** Exported functions and classes say in a doc comment what their types cannot. Where a file exports only one, the
 *  header says it. Asked of the packages that others read and import. */
export function undocumentedExports(source: Source): string[] {
  const exported = source.tree.statements.filter(isExportedCode)
  if (exported.length === 1) return []
  return exported
    .filter((statement) => ts.getJSDocCommentsAndTags(statement).length === 0)
    .map((statement) => `${placeOf(source, statement)} \`${statement.name?.text}\` is exported without a doc comment`)
}

function isExportedCode(statement: ts.Statement): statement is ts.FunctionDeclaration | ts.ClassDeclaration {
  if (!ts.isFunctionDeclaration(statement) && !ts.isClassDeclaration(statement)) return false
  return ts.getModifiers(statement)?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword) ?? false
}

/** A note to do something later names its issue. */
export function commentFaults({ path, text }: Source): string[] {
  return text.split('\n').flatMap((line, index) => {
    const found = /\b(?:TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))/.test(line) && /\/\/|\*/.test(line)
    return found ? [`${path}:${index + 1} leaves work without an issue`] : []
  })
}
