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
  const matches = withoutOverlaps([...own, ...(await findCommonSecrets(scanned))])
  if (matches.length === 0) return { findings: [], ignored: 0 }
  const starts = lineStarts(scanned.text)
  const skipped = ignoredLines(scanned.text)
  const findings = matches
    .toSorted((one, other) => one.start - other.start)
    .map((match) => findingOf(scanned.text, match, starts))
  const counted = findings.filter(({ line }) => !skipped.has(line))
  return { findings: counted, ignored: findings.length - counted.length }
}

/** The earlier in the list wins. */
function withoutOverlaps(matches: readonly Match[]): Match[] {
  const kept: Match[] = []
  for (const match of matches) {
    if (!kept.some(({ start, end }) => match.start < end && start < match.end)) kept.push(match)
  }
  return kept
}

function findingOf(text: string, match: Match, starts: readonly number[]): Finding {
  const line = starts.findLastIndex((start) => start <= match.start)
  return {
    rule: match.rule,
    line: line + 1,
    column: match.start - (starts[line] ?? 0) + 1,
    excerpt: maskedExcerpt(text, match),
    ...(match.keyId === undefined ? {} : { keyId: match.keyId }),
  }
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
