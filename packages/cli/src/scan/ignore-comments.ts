/** Comments that say of a finding that it is none: `comity-scan: ignore` on its line, `comity-scan: ignore-next-line` on
 *  the line before. */

/** Numbers (from 1) of the lines whose findings do not count. */
export function ignoredLines(text: string): ReadonlySet<number> {
  if (!text.includes('comity-scan:')) return new Set()
  const lines = new Set<number>()
  for (const [index, line] of text.split('\n').entries()) {
    const [, what] = /\bcomity-scan:\s*(ignore(?:-next-line)?)(?![\w-])/.exec(line) ?? []
    if (what !== undefined) lines.add(what === 'ignore' ? index + 1 : index + 2)
  }
  return lines
}
