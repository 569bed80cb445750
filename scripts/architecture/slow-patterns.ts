/** Finds regular expressions that some text makes slow: their time grows faster than the text. An expression whose texts are
 *  short for certain says so in a comment on its line, or on the one before: `bounded: why`. */
import { analyse } from 'scslre'
import ts from 'typescript'
import { nodesOf, placeOf, type Source } from './source.ts'

/** One line for each, with a character that makes it slow when repeated. */
export function slowPatterns(source: Source): string[] {
  return [...nodesOf(source)].flatMap((node) => {
    if (!ts.isRegularExpressionLiteral(node) || isBounded(source, node)) return []
    const found = slownessOf(node.text)
    return found === undefined ? [] : [`${placeOf(source, node)} ${node.text} is slow for many ${found}`]
  })
}

function isBounded({ tree, text }: Source, node: ts.Node): boolean {
  const { line } = tree.getLineAndCharacterOfPosition(node.getStart(tree))
  const [start = 0, end = text.length] = [tree.getLineStarts()[Math.max(0, line - 1)], tree.getLineStarts()[line + 1]]
  return /\bbounded: \S/.test(text.slice(start, end))
}

function slownessOf(literal: string): string | undefined {
  const end = literal.lastIndexOf('/')
  const [report] = analyse({ source: literal.slice(1, end), flags: literal.slice(end + 1) }).reports
  return report === undefined ? undefined : `\`${report.character.pick}\`${report.exponential ? ', exponentially' : ''}`
}
