/** Secrets written out in a node's configuration, where only `{ env: NAME }` or `{ file: path }` belongs. A node refuses
 *  such a file, but by then it lies in a repository. */
import { isMap, isPair, isScalar, parseDocument, visit } from 'yaml'
import type { Match, ScannedText } from './finding.ts'
import type { SecretRule } from './pattern-rules.ts'

const id = 'comity-configuration-secret'
const secretNames = new Set(['passphrase', 'token', 'secret', 'password'])

/** A file in the format that `comity init` writes. */
function isConfiguration({ path, text }: ScannedText): boolean {
  return /\.ya?ml$/i.test(path) && /^comity:\s*\d/m.test(text)
}

/** The name under which a value stands, or `upstreamHeaders` when it is one of those. */
function nameOf(pair: { key: unknown }, ancestors: readonly unknown[]): string {
  const inHeaders = ancestors.some(
    (node) => isPair(node) && isScalar(node.key) && node.key.value === 'upstreamHeaders' && node !== pair,
  )
  return inHeaders ? 'secret' : isScalar(pair.key) ? String(pair.key.value) : ''
}

function secretsOf(text: string): Match[] {
  const found: Match[] = []
  visit(parseDocument(text, { logLevel: 'silent' }), {
    Pair(_, pair, ancestors) {
      const { value } = pair
      if (!secretNames.has(nameOf(pair, ancestors)) || isMap(value) || !isScalar(value)) return
      const isPlace = ['env', 'file'].includes(isScalar(pair.key) ? String(pair.key.value) : '')
      if (isPlace || typeof value.value !== 'string' || value.value === '' || !value.range) return
      found.push({ rule: id, start: value.range[0], end: value.range[1], shown: 0 })
    },
  })
  return found
}

export const configurationRule: SecretRule = {
  id,
  find: (scanned) => (isConfiguration(scanned) ? secretsOf(scanned.text) : []),
}
