/** Keeps the order of every change over the admin API: recorded first, done then, recorded again when it failed. */
import { createHash } from 'node:crypto'
import { canonicalJson } from '@comity/core/bytes/canonical-json'
import { asProblem } from '../http/problem-response.ts'
import type { AdminChange, AdminParts } from './ports.ts'

/** SHA-256 (base64url) of the canonical JSON (RFC 8785) of a value. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64url')
}

/** Does `work` after the change is in the audit log. Throws `record-failed`, then nothing was done, and what `work`
 *  throws. */
export async function recorded<T>(
  { recordChange }: Pick<AdminParts, 'recordChange'>,
  change: AdminChange,
  work: () => Promise<T>,
): Promise<T> {
  await recordChange(change)
  try {
    return await work()
  } catch (error) {
    // The change did not happen, whether or not that can be written down.
    await recordChange({ ...change, problem: asProblem(error).code }).catch(() => undefined)
    throw error
  }
}
