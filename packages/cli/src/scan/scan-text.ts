/** Finds the secrets in one text. */
import { adminTokenRule, apiKeyRule } from './api-key-rule.ts'
import { configurationRule } from './configuration-rule.ts'
import { findCommonSecrets } from './common-rules.ts'
import { maskedExcerpt, type Finding, type Match, type ScannedText } from './finding.ts'
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
  const own = ownRules.flatMap((rule) => [...rule.find(scanned)])
  const matches = withoutOverlaps([...own, ...(await findCommonSecrets(scanned))], scanned.text.length)
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
      rule: match.rule,
      line: line + 1,
      column: match.start - (starts[line] ?? 0) + 1,
      excerpt: maskedExcerpt(text, match),
      ...(match.keyId === undefined ? {} : { keyId: match.keyId }),
    }
  })
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
