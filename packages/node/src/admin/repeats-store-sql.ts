/** The store of kept answers, on the node's database. */
import { Problem } from '@comity/core/problems'
import type { Database } from '../storage/database.ts'
import { keptMs, maxKept, maxPerMinute, type RepeatsStore } from './repeats.ts'

const removal = 'DELETE FROM admin_repeats WHERE began_ms < ?'

/** The answers beyond the newest. */
const emptying = `UPDATE admin_repeats SET answer = ? WHERE name IN (
  SELECT name FROM admin_repeats WHERE LENGTH(answer) > 0 ORDER BY began_ms DESC, name LIMIT ? OFFSET ?)`

/** Forgets what began longer ago than answers are kept, also when no call comes, and the answers beyond `maxKept`. */
export async function pruneRepeats(database: Database, nowMs: number): Promise<void> {
  await database.execute([
    { sql: removal, params: [nowMs - keptMs] },
    { sql: emptying, params: [new Uint8Array(), Number.MAX_SAFE_INTEGER, maxKept] },
  ])
}

export function createRepeatsStore(database: Database): RepeatsStore {
  return {
    begin: ({ name, fingerprint, nowMs, keepFromMs }) =>
      database.transaction(async (tx) => {
        await tx.run(removal, [keepFromMs])
        const row = await tx.get('SELECT fingerprint, answer FROM admin_repeats WHERE name = ?', [name])
        if (row !== undefined) {
          const { answer } = row
          return { fingerprint: String(row['fingerprint']), answer: answer instanceof Uint8Array ? answer : undefined }
        }
        const recent = 'SELECT COUNT(*) AS begun FROM admin_repeats WHERE began_ms > ? AND began_ms <= ?'
        const begun = await tx.get(recent, [nowMs - 60_000, nowMs])
        if (Number(begun?.['begun']) >= maxPerMinute) {
          const members = { retryAfterSeconds: 60 }
          throw new Problem('rate-limited', 'too many new idempotency keys came within a minute', { members })
        }
        const insert = 'INSERT INTO admin_repeats (name, fingerprint, answer, began_ms) VALUES (?, ?, NULL, ?)'
        await tx.run(insert, [name, fingerprint, nowMs])
        return undefined
      }),
    async finish(name, answer) {
      await database.execute([{ sql: 'UPDATE admin_repeats SET answer = ? WHERE name = ?', params: [answer, name] }])
    },
    async remove(name) {
      await database.execute([{ sql: 'DELETE FROM admin_repeats WHERE name = ?', params: [name] }])
    },
  }
}
