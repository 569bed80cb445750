/** The store of kept answers, on the node's database. */
import { Problem } from '@comity/core/problems'
import type { Database } from '../storage/database.ts'
import { keptMs, maxKept, type RepeatsStore } from './repeats.ts'

const removal = 'DELETE FROM admin_repeats WHERE began_ms < ?'

/** Forgets what began longer ago than answers are kept, also when no call comes. */
export async function pruneRepeats(database: Database, nowMs: number): Promise<void> {
  await database.execute([{ sql: removal, params: [nowMs - keptMs] }])
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
        const kept = await tx.get('SELECT COUNT(*) AS kept FROM admin_repeats')
        if (Number(kept?.['kept']) >= maxKept) {
          const members = { retryAfterSeconds: 60 }
          throw new Problem('rate-limited', 'too many idempotency keys were used in a day', { members })
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
