/** Secrets that stand in base64 within a text: values of a Kubernetes Secret, logins of `.npmrc` and of Docker's
 *  configuration, commands of PowerShell. */
import { isUtf8 } from 'node:buffer'
import { keyIn } from './api-key-rule.ts'
import { base64Runs, linesOf, offsetOf, type Base64Run } from './base64-runs.ts'
import { maskedExcerpt, type Match } from './finding.ts'

/** All that was decoded, one text a line, to be looked through at once. */
export interface EncodedTexts {
  readonly text: string
  /** A match in `text`, as one of the text that holds it encoded. */
  placed(match: Match): Match
}

interface Part {
  readonly run: Base64Run
  /** One character for each byte, or for each two of UTF-16. */
  readonly text: string
  readonly bytesOfLetter: 1 | 2
  /** In the text of all. */
  readonly start: number
}

/** The texts that stand encoded in the text, undefined when there are none. No longer than it, found in linear time. */
export function encodedTexts(text: string): EncodedTexts | undefined {
  const parts: Part[] = []
  let start = 0
  for (const part of partsOf(text)) {
    parts.push({ ...part, start })
    start += part.text.length + 1
  }
  if (parts.length === 0) return undefined
  const joined = parts.map((part) => part.text).join('\n')
  return { text: joined, placed: (match) => placed(match, joined, parts) }
}

function* partsOf(text: string): Generator<Omit<Part, 'start'>> {
  for (const run of base64Runs(text)) {
    const whole = decoded(run)
    if (whole !== undefined) yield whole
    // A word alone on the next line looks like the last line of the run.
    else if (run.lines.length > 1) yield* linesOf(run).flatMap((line) => decoded(line) ?? [])
  }
}

/** Undefined when it is no text: most runs are hashes, ciphertexts, or long names. */
function decoded(run: Base64Run): Omit<Part, 'start'> | undefined {
  const bytes = Buffer.from(run.letters, 'base64')
  const isWide = bytes.length % 2 === 0 && bytes.every((byte, index) => index % 2 === 0 || byte === 0)
  // One character for each byte, so that places can be told.
  const text = (isWide ? bytes.filter((_, index) => index % 2 === 0) : bytes).toString('latin1')
  // oxlint-disable-next-line no-control-regex
  if (text === '' || (!isWide && !isUtf8(bytes)) || /[\0-\x08\x0e-\x1f\x7f]/.test(text)) return undefined
  return { run, text, bytesOfLetter: isWide ? 2 : 1 }
}

function placed(match: Match, joined: string, parts: readonly Part[]): Match {
  const { run, start, bytesOfLetter } = partAt(parts, match.start)
  const letters = (offset: number) => ((offset - start) * bytesOfLetter * 4) / 3
  return {
    ...match,
    start: offsetOf(run, Math.floor(letters(match.start))),
    end: offsetOf(run, Math.min(Math.ceil(letters(match.end)), run.letters.length)),
    encoding: 'base64',
    excerpt: maskedExcerpt(joined, match),
  }
}

function partAt(parts: readonly Part[], offset: number): Part {
  let [low, high] = [0, parts.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((parts[middle] as Part).start <= offset) low = middle
    else high = middle - 1
  }
  return parts[low] as Part
}

/** How Comity's keys and tokens begin in base64, behind none, one and two bytes of the same group of three. */
const keyBeginnings = [0, 1, 2].map((before) => {
  // The letter behind `cmty_` is a small one: its first two bits are known.
  const letters = Buffer.from(`${'\0'.repeat(before)}cmty_a`).toString('base64')
  const [first, end] = [Math.ceil((before * 8) / 6), Math.floor((before * 8 + 42) / 6)]
  return { before, first, text: letters.slice(first, end) }
})

/** Letters of the longest key, and a few. */
const maxLetters = 88

/** Comity's own keys that stand in base64, whatever stands around them: at any byte of what was encoded, text or not. */
export function* encodedKeys(text: string): Generator<Match> {
  for (const run of base64Runs(text)) {
    for (const beginning of keyBeginnings) {
      for (let at = run.letters.indexOf(beginning.text); at !== -1; at = run.letters.indexOf(beginning.text, at + 1)) {
        const match = keyBehind(run, at - beginning.first, beginning.before)
        if (match !== undefined) yield match
      }
    }
  }
}

/** `group` is the letter at which the group of four begins. */
function keyBehind(run: Base64Run, group: number, before: number): Match | undefined {
  if (group < 0) return undefined
  const bytes = Buffer.from(run.letters.slice(group, group + maxLetters), 'base64')
  const found = keyIn(bytes.toString('latin1', before))
  if (found === undefined) return undefined
  const { text, match } = found
  return {
    ...match,
    start: offsetOf(run, group + Math.floor((before * 4) / 3)),
    end: offsetOf(run, Math.min(group + Math.ceil(((before + match.end) * 4) / 3), run.letters.length)),
    encoding: 'base64',
    excerpt: maskedExcerpt(text, match),
  }
}
