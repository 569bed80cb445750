/** Cuts a text of many policies into single ones, so that each mistake is found and each policy keeps its line. */

/** One policy with the comments before it. */
export interface PolicyPiece {
  readonly text: string
  /** Line of its first character, from 1; it may be a comment's. */
  readonly line: number
  /** Line of its first word. */
  readonly head: number
  /** How deep its brackets nest. */
  readonly depth: number
}

/** The policies in their order. What follows the last semicolon is one more when there is more to it than comments. */
export function splitPolicies(text: string): PolicyPiece[] {
  const pieces: PolicyPiece[] = []
  let piece = nextPiece(text, { at: 0, line: 1 })
  for (let at = piece.start; at < text.length; at = afterToken(text, at)) {
    const character = text[at] ?? ''
    if (piece.head === 0 && !isSpace(character) && !text.startsWith('//', at))
      piece.head = piece.line + newlines(text, piece.start, at)
    if ('([{'.includes(character)) piece.deepest = Math.max(piece.deepest, ++piece.depth)
    else if (')]}'.includes(character)) piece.depth--
    else if (character === ';') {
      pieces.push(pieceOf(text, piece, at + 1))
      piece = nextPiece(text, { at: at + 1, line: piece.line + newlines(text, piece.start, at) })
    }
  }
  return piece.head === 0 ? pieces : [...pieces, pieceOf(text, piece, text.length)]
}

/** How many lines end in the text from `start` to before `end`. */
export function newlines(text: string, start: number, end: number): number {
  let count = 0
  for (let at = text.indexOf('\n', start); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) count++
  return count
}

interface OpenPiece {
  readonly start: number
  readonly line: number
  depth: number
  deepest: number
  /** 0 as long as there were only comments. */
  head: number
}

function nextPiece(text: string, { at, line }: { at: number; line: number }): OpenPiece {
  let start = at
  while (start < text.length && isSpace(text[start] ?? '')) start++
  return { start, line: line + newlines(text, at, start), depth: 0, deepest: 0, head: 0 }
}

function pieceOf(text: string, { start, line, head, deepest }: OpenPiece, end: number): PolicyPiece {
  return { text: text.slice(start, end), line, head, depth: deepest }
}

function isSpace(character: string): boolean {
  return character.trim() === ''
}

// No regular expression: a long string would exhaust its stack.
function afterToken(text: string, at: number): number {
  if (text[at] === '"') return afterString(text, at)
  if (!text.startsWith('//', at)) return at + 1
  const end = text.indexOf('\n', at)
  return end === -1 ? text.length : end
}

function afterString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return text.length
}
