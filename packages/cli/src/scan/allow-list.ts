/** Findings that are known to be none, one a line: `packages/*\/tests/**` or `docs/keys.md:12`, then, after a space, the
 *  rule it is for when not for all. `#` begins a comment. */
import { posix } from 'node:path'
import { Problem } from '@comity/core/problems'

export interface AllowList {
  allows(path: string, finding: { readonly rule: string; readonly line: number }): boolean
  /** Entries that allowed nothing so far: they are out of date, or misspelt. */
  unused(): readonly string[]
}

interface Entry {
  readonly text: string
  readonly glob: string
  readonly line: number | undefined
  readonly rule: string | undefined
  used: boolean
}

/** Throws `malformed-request` for a line that is no entry. */
export function parseAllowList(text: string): AllowList {
  const entries = text.split(/\r?\n/).flatMap((line, index) => parseEntry(line, index + 1))
  return {
    allows(path, { rule, line }) {
      const entry = entries.find(
        (each) =>
          (each.rule === undefined || each.rule === rule) &&
          (each.line === undefined || each.line === line) &&
          posix.matchesGlob(path, each.glob),
      )
      if (entry !== undefined) entry.used = true
      return entry !== undefined
    },
    unused: () => entries.filter(({ used }) => !used).map((entry) => entry.text),
  }
}

function parseEntry(line: string, number: number): Entry[] {
  const text = line.replace(/(?:^|\s)#.*$/, '').trim()
  if (text === '') return []
  const [, glob = '', at, rule] = /^(\S+?)(?::(\d+))?(?:\s+([a-z0-9-]+))?$/.exec(text) ?? []
  if (glob === '' || glob.startsWith('/')) {
    throw new Problem('malformed-request', `line ${number} of the allow-list is not \`path[:line] [rule]\``)
  }
  return [{ text, glob, line: at === undefined ? undefined : Number(at), rule, used: false }]
}
