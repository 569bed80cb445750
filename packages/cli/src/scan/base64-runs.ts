/** Finds what may be base64 in a text: long runs of its letters, of both alphabets (RFC 4648 §4 and §5), in one line or
 *  wrapped as `base64` and MIME do it. */

/** Letters of base64. All lines of one run but its last are of the same length. */
export interface Base64Run {
  readonly letters: string
  /** Letters of a line. */
  readonly width: number
  /** Offsets in the text at which its lines begin. */
  readonly lines: readonly number[]
}

/** Fewer hold no secret that a rule knows. No quantifier of these is unbounded: such a one fails on megabytes. */
const beginning = /[A-Za-z0-9+/_-]{24}/g
const noLetter = /[^A-Za-z0-9+/_-]/g
/** A line end, also one that is written `\n`. */
const lineEnd = /(?:\r?\n[ \t]{0,64}|(?:\\r)?\\n)/y
/** What may stand behind the last letter of a wrapped line. */
const behindLine = /={0,2}(?:[\s"'\\<,]|$)/y

/** In the order of the text, in linear time. */
export function* base64Runs(text: string): Generator<Base64Run> {
  for (let from = 0; ;) {
    const start = placeOf(beginning, { text, from })
    if (start === undefined) return
    const run = runAt(text, start)
    yield run
    from = offsetOf(run, run.letters.length)
  }
}

/** The offset in the text of a letter, or of the end. */
export function offsetOf({ width, lines }: Base64Run, letter: number): number {
  const line = Math.min(Math.floor(letter / width), lines.length - 1)
  return (lines[line] ?? 0) + letter - line * width
}

/** The lines of a run, each as a run of its own. */
export function linesOf({ letters, width, lines }: Base64Run): Base64Run[] {
  return lines.map((start, line) => ({
    letters: letters.slice(line * width, (line + 1) * width),
    width,
    lines: [start],
  }))
}

function runAt(text: string, start: number): Base64Run {
  let end = endOf(text, start)
  const width = end - start
  const lines = [start]
  const letters = [text.slice(start, end)]
  while (letters.at(-1)?.length === width) {
    const next = behind(lineEnd, { text, from: end })
    if (next === undefined) break
    const nextEnd = endOf(text, next)
    const isLine = nextEnd > next && nextEnd - next <= width
    if (!isLine || behind(behindLine, { text, from: nextEnd }) === undefined) break
    end = nextEnd
    lines.push(next)
    letters.push(text.slice(next, end))
  }
  return { letters: letters.join(''), width, lines }
}

function endOf(text: string, from: number): number {
  return placeOf(noLetter, { text, from }) ?? text.length
}

interface Place {
  readonly text: string
  readonly from: number
}

function placeOf(expression: RegExp, { text, from }: Place): number | undefined {
  expression.lastIndex = from
  return expression.exec(text)?.index
}

/** The offset behind what stands at `from`. */
function behind(sticky: RegExp, { text, from }: Place): number | undefined {
  sticky.lastIndex = from
  return sticky.test(text) ? sticky.lastIndex : undefined
}
