/** What a check of the doctor found. */
import { Problem } from '@comity/core/problems'

/** `bad` stops the node or its partners; `caution` may, or could not be checked. */
export type Outcome = 'good' | 'caution' | 'bad'

export interface Finding {
  /** Which check, e.g. `clock`, `port public`, `partner lab`. */
  readonly check: string
  readonly outcome: Outcome
  /** A sentence: lower case, no final period. */
  readonly detail: string
  /** What to do about it. */
  readonly remedy?: string
}

export const good = (check: string, detail: string): Finding => ({ check, outcome: 'good', detail })

export const caution = (check: string, detail: string, remedy: string): Finding => ({
  check,
  outcome: 'caution',
  detail,
  remedy,
})

export const bad = (check: string, detail: string, remedy: string): Finding => ({
  check,
  outcome: 'bad',
  detail,
  remedy,
})

/** What went wrong, with the causes that a `Problem` keeps from strangers but not from the operator. */
export function describeError(error: unknown): string {
  const parts: string[] = []
  for (let each = error, depth = 0; each instanceof Error && depth < 4; each = each.cause, depth += 1) {
    // A connection to several addresses fails with one error for each and no message of its own.
    const { message, code } = each as Error & { code?: string }
    // OpenSSL's messages end with a line break.
    const text = message === '' ? (code ?? each.name) : message.trim().replaceAll(/\s+/g, ' ')
    if (!parts.includes(text)) parts.push(text)
  }
  return parts.length === 0 ? String(error) : parts.join(': ')
}

/** The code of a `Problem`, or undefined for any other error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Problem ? error.code : undefined
}
