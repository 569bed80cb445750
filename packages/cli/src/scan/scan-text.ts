/** Finds the secrets in one text. */
import { adminTokenRule, apiKeyRule } from './api-key-rule.ts'
import { configurationRule } from './configuration-rule.ts'
import { findCommonSecrets } from './common-rules.ts'
import { encodedKeys, encodedTexts } from './encoded-secrets.ts'
import { told, type Finding, type Match, type ScannedText } from './finding.ts'
import { ignoredLines } from './ignore-comments.ts'
import { patternRules } from './pattern-rules.ts'

const ownRules = [apiKeyRule, adminTokenRule, ...patternRules, configurationRule]

export interface TextFindings {
  /** In the order of the text. */
  readonly findings: readonly Finding[]
  /** How many a comment took out. */
  readonly ignored: number
}

/** All that the rules find, each place once: where two see the same, Comity's own rule names it. */
export async function scanText(scanned: ScannedText): Promise<TextFindings> {
  const matches = await matchesOf(scanned, maxDepth)
  if (matches.length === 0) return { findings: [], ignored: 0 }
  const starts = lineStarts(scanned.text)
  const skipped = ignoredLines(scanned.text)
  const findings = findingsOf(
    scanned.text,
    matches.toSorted((one, other) => one.start - other.start),
    starts,
  )
  const counted = findings.filter(({ line }) => !skipped.has(line))
  return { findings: counted, ignored: findings.length - counted.length }
}

/** Base64 within base64 within base64: the key in the login in Docker's configuration in a Kubernetes Secret. */
const maxDepth = 3

async function matchesOf(scanned: ScannedText, depth: number): Promise<Match[]> {
  const plain = [...ownRules.flatMap((rule) => [...rule.find(scanned)]), ...(await findCommonSecrets(scanned))]
  const encoded = depth === 0 ? [] : await encodedMatches(scanned, depth - 1)
  // What was encoded says more than the rule that sees a login, or a token, by the letters of its base64.
  return withoutOverlaps([...encoded, ...plain], scanned.text.length)
}

async function encodedMatches({ path, text }: ScannedText, depth: number): Promise<Match[]> {
  const texts = encodedTexts(text)
  const within = texts === undefined ? [] : await matchesOf({ path, text: texts.text }, depth)
  return [...encodedKeys(text), ...within.map((match) => texts?.placed(match) ?? match)]
}

/** The earlier in the list wins. In linear time: a text may hold many thousands. */
function withoutOverlaps(matches: readonly Match[], length: number): Match[] {
  if (matches.length < 2) return [...matches]
  const taken = new Uint8Array(length)
  return matches.filter(({ start, end }) => {
    if (taken.subarray(start, end).includes(1)) return false
    taken.fill(1, start, end)
    return true
  })
}

/** In the order of the matches, which is that of the text. */
function findingsOf(text: string, matches: readonly Match[], starts: readonly number[]): Finding[] {
  let line = 0
  return matches.map((match) => {
    while ((starts[line + 1] ?? Infinity) <= match.start) line += 1
    return {
      line: line + 1,
      column: match.start - (starts[line] ?? 0) + 1,
      ...told(text, match),
    }
  })
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
