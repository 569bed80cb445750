/** The common secrets (clouds, forges, chats, databases …) by the recommended rule set of secretlint. Reads nothing but
 *  the text it is given: no network, no configuration. */
import { lintSource } from '@secretlint/core'
import { secretLintProfiler } from '@secretlint/profiler'
import { creator } from '@secretlint/secretlint-rule-preset-recommend'
import { shownOfOthers, type Match, type ScannedText } from './finding.ts'

// It would keep sixty marks of every text that was looked at.
secretLintProfiler.setEnabled(false)

const preset = '@secretlint/secretlint-rule-preset-recommend'
const options = {
  noPhysicFilePath: true,
  config: {
    rules: [
      {
        id: preset,
        rule: creator,
        // Which findings do not count is said in one way for all rules, and counted: see `ignore-comments.ts`.
        rules: [{ id: '@secretlint/secretlint-rule-filter-comments', disabled: true }],
        options: {},
      },
    ],
  },
}

/** The rule set's findings. Its messages hold the secret and go no further. */
export async function findCommonSecrets({ path, text }: ScannedText): Promise<Match[]> {
  const ext = /\.[^./]*$/.exec(path)?.[0] ?? ''
  const source = { filePath: path, content: text, ext, contentType: 'text' as const }
  const { messages } = await lintSource({ source, options })
  return messages
    .filter(({ type }) => type === 'message')
    .map(({ ruleId, range: [start, end] }) => ({
      rule: ruleId.replace('@secretlint/secretlint-rule-', ''),
      start,
      end,
      shown: shownOfOthers,
    }))
}
