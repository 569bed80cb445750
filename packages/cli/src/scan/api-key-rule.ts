/** Finds what is a key of Comity by its checksum: API keys and admin tokens. A text that only looks like one is not
 *  reported. */
import { isAdminToken, adminTokenPattern } from '@comity/core/api-keys/admin-token'
import { apiKeyName, apiKeyPattern, parseApiKey, type ApiKey } from '@comity/core/api-keys/api-key'
import type { Match } from './finding.ts'
import type { SecretRule } from './pattern-rules.ts'

export const apiKeyRule: SecretRule = {
  id: 'comity-api-key',
  *find({ text }) {
    for (const found of text.matchAll(new RegExp(apiKeyPattern, 'g'))) {
      const key = keyOf(found[0])
      if (key !== undefined) yield { ...matchOf('comity-api-key', found, `${apiKeyName(key)}_`), keyId: key.id }
    }
  },
}

export const adminTokenRule: SecretRule = {
  id: 'comity-admin-token',
  *find({ text }) {
    for (const found of text.matchAll(new RegExp(adminTokenPattern, 'g'))) {
      if (isAdminToken(found[0])) yield matchOf('comity-admin-token', found, 'cmty_admin_')
    }
  },
}

/** A key or token at the beginning of a text. */
export interface FoundKey {
  readonly text: string
  readonly match: Match
}

/** The key that the text begins with, if it does. */
export function keyIn(text: string): FoundKey | undefined {
  for (const rule of [apiKeyRule, adminTokenRule]) {
    const match = [...rule.find({ path: '', text })].find(({ start }) => start === 0)
    if (match !== undefined) return { text, match }
  }
  return undefined
}

function matchOf(rule: string, found: RegExpExecArray, shown: string): Match {
  return { rule, start: found.index, end: found.index + found[0].length, shown: shown.length }
}

function keyOf(text: string): ApiKey | undefined {
  try {
    return parseApiKey(text)
  } catch {
    return undefined
  }
}
