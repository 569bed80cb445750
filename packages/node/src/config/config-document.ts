/** YAML 1.2 as a configuration may use it: one document, plain values, each key once. No anchors, aliases or tags,
 *  which make a file mean what it does not show and let a small one unfold into a huge one. */
import { LineCounter, isMap, isNode, isScalar, isSeq, parseDocument, visit, type Document } from 'yaml'
import type { ConfigPath, LineOf, Mistake } from './mistakes.ts'

/** Largest configuration, in bytes; a thousand products fit. */
export const maxConfigBytes = 1_048_576

export interface ConfigDocument {
  /** The plain value, or undefined when the text is not acceptable YAML. */
  readonly value: unknown
  readonly mistakes: readonly (Mistake & { readonly line: number })[]
  readonly lineOf: LineOf
}

/** Reads the text. Never throws: what is wrong is in `mistakes`. */
export function readConfigDocument(text: string): ConfigDocument {
  const lines = new LineCounter()
  const lineAt = (offset: number) => lines.linePos(offset).line
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: 'core', stringKeys: true })
  const faults = [
    ...[...document.errors, ...document.warnings].map((error) => fault(yamlMessage(error, text), lineAt(error.pos[0]))),
    ...forbiddenParts(document).map(({ message, offset }) => fault(message, lineAt(offset))),
  ]
  return {
    value: faults.length > 0 ? undefined : document.toJS({ maxAliasCount: 0 }),
    mistakes: faults,
    lineOf: (path) => lineOfPath(document, path, lineAt),
  }
}

function fault(message: string, line: number): Mistake & { readonly line: number } {
  return { path: [], message, line }
}

function yamlMessage({ code, message, pos }: YamlFault, text: string): string {
  if (code === 'DUPLICATE_KEY') return `${keyAt(text, pos[0])} stands twice in its mapping`
  if (code === 'RESOURCE_EXHAUSTION') return 'this is nested too deeply'
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here; a configuration is one document'
  return `this is not YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`
}

interface YamlFault {
  readonly code: string
  readonly message: string
  readonly pos: readonly [number, number]
}

/** The key that begins at an offset, when it is a plain word. */
function keyAt(text: string, offset: number): string {
  const [word] = /^[\w-]{1,64}/.exec(text.slice(offset, offset + 64)) ?? []
  return word === undefined ? 'this key' : `\`${word}\``
}

function forbiddenParts(document: Document): { message: string; offset: number }[] {
  const found: { message: string; offset: number }[] = []
  const add = (message: string, node: { range?: readonly number[] | null | undefined }): void => {
    found.push({ message, offset: node.range?.[0] ?? 0 })
  }
  if (document.errors.length > 0) return found
  visit(document, {
    Alias: (_key, node) => add('aliases are not allowed; write the value out', node),
    Value: (_key, node) => {
      if (node.anchor !== undefined) add('anchors are not allowed', node)
      if (node.tag?.startsWith('!') === true) add('tags are not allowed', node)
    },
  })
  return found
}

/** Line of the key that a path ends with, or of the nearest thing above it that is there. */
function lineOfPath(document: Document, path: ConfigPath, lineAt: (offset: number) => number): number {
  let node: unknown = document.contents
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0
  for (const part of path) {
    const child = childOf(node, part)
    if (child === undefined) break
    offset = child.offset ?? offset
    node = child.value
  }
  return lineAt(offset)
}

function childOf(node: unknown, part: string | number): { value: unknown; offset: number | undefined } | undefined {
  if (isSeq(node) && typeof part === 'number') {
    const item = node.items[part]
    return isNode(item) ? { value: item, offset: item.range?.[0] } : undefined
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find(({ key }) => isScalar(key) && key.value === part)
  return isScalar(pair?.key) ? { value: pair.value, offset: pair.key.range?.[0] } : undefined
}
