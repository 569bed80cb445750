/** Quotas that survive restarts: what is used stands in the database, written in the transaction of the exchange that
 *  used it, so that a crash gives nothing back. */
import { quotaPeriods, quotaSpan, type QuotaPer } from '@comity/core/limits/quota'
import type { Database, Statement } from '../storage/database.ts'

/** Units that a call used of a quota in the period that began at `startMs`. */
export interface QuotaUse {
  readonly limit: string
  readonly per: QuotaPer
  readonly key: string
  readonly startMs: number
  readonly units: number
}

/** What is used of quotas, durably. */
export interface QuotaStore {
  /** Of periods that are not over, the newest of each key first. */
  load(nowMs: number): Promise<QuotaUse[]>
  /** Adds to what was used; goes into a transaction. */
  add(use: QuotaUse): Statement
  /** Drops periods that are over. */
  prune(nowMs: number): readonly Statement[]
}

const addSql = `INSERT INTO limit_quotas (limit_name, per, limit_key, starts_ms, used) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (limit_name, per, limit_key, starts_ms) DO UPDATE SET used = limit_quotas.used + excluded.used`
const loadSql = `SELECT limit_name, limit_key, starts_ms, used FROM limit_quotas
  WHERE per = ? AND starts_ms >= ? ORDER BY starts_ms DESC`

/** The store on the node's database. */
export function createQuotaStore(database: Pick<Database, 'all'>): QuotaStore {
  return {
    async load(nowMs) {
      const found = quotaPeriods.map(async (per) => {
        const rows = await database.all(loadSql, [per, quotaSpan(per, nowMs).startMs])
        return rows.map((row) => ({
          limit: String(row['limit_name']),
          per,
          key: String(row['limit_key']),
          startMs: Number(row['starts_ms']),
          units: Number(row['used']),
        }))
      })
      return (await Promise.all(found)).flat()
    },
    add: ({ limit, per, key, startMs, units }) => ({ sql: addSql, params: [limit, per, key, startMs, units] }),
    prune: (nowMs) =>
      quotaPeriods.map((per) => ({
        sql: 'DELETE FROM limit_quotas WHERE per = ? AND starts_ms < ?',
        params: [per, quotaSpan(per, nowMs).startMs],
      })),
  }
}

/** What calls used and did not write down, since they were not recorded: written by and by. */
export class QuotaLedger {
  readonly #store: Pick<QuotaStore, 'add'>
  #carried: QuotaUse[] = []

  constructor(store: Pick<QuotaStore, 'add'>) {
    this.#store = store
  }

  statements(uses: readonly QuotaUse[]): Statement[] {
    return uses.map((use) => this.#store.add(use))
  }

  carry(uses: readonly QuotaUse[]): void {
    this.#carried.push(...uses)
  }

  get isSettled(): boolean {
    return this.#carried.length === 0
  }

  /** Writes what is carried. Rejects while the storage takes nothing; then it stays. */
  async settle(database: Pick<Database, 'execute'>): Promise<void> {
    const uses = this.#carried
    if (uses.length === 0) return
    this.#carried = []
    try {
      await database.execute(this.statements(uses))
    } catch (error) {
      this.#carried = [...uses, ...this.#carried]
      throw error
    }
  }
}
