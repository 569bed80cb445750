/** Quotas that survive restarts: what is used stands in the database, written in the transaction of the exchange that
 *  used it, so that a crash gives nothing back. */
import { isFarAhead, quotaPeriods, quotaSpan, type QuotaPer } from '@comity/core/limits/quota'
import type { Database, Statement } from '../storage/database.ts'

/** Units that a call used of a quota in the period that began at `startMs`. */
export interface QuotaUse {
  readonly limit: string
  readonly per: QuotaPer
  readonly key: string
  readonly startMs: number
  readonly units: number
}

/** What one key of a quota is called by. */
export type CountedKey = Pick<QuotaUse, 'limit' | 'per' | 'key'>

/** What is used of quotas, durably. */
export interface QuotaStore {
  /** Of periods that are not over, the newest of each key first. */
  load(nowMs: number): Promise<QuotaUse[]>
  /** Adds to what was used; goes into a transaction. */
  add(use: QuotaUse): Statement
  /** Makes what a clock that was far ahead counted count in the running periods. To be called before `load`. */
  bringBack(nowMs: number): Promise<Statement[]>
  /** Drops what is counted of one key of a limit, of all periods. */
  forget(counted: CountedKey): Statement
  /** Drops periods that are over. */
  prune(nowMs: number): readonly Statement[]
}

const addSql = `INSERT INTO limit_quotas (limit_name, per, limit_key, starts_ms, used) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (limit_name, per, limit_key, starts_ms) DO UPDATE SET used = limit_quotas.used + excluded.used`
const loadSql = `SELECT limit_name, limit_key, starts_ms, used FROM limit_quotas
  WHERE per = ? AND starts_ms >= ? ORDER BY starts_ms DESC`
const forgetSql = 'DELETE FROM limit_quotas WHERE limit_name = ? AND per = ? AND limit_key = ?'
const dropSql = `${forgetSql} AND starts_ms = ?`

/** The store on the node's database. */
export function createQuotaStore(database: Pick<Database, 'all'>): QuotaStore {
  /** What began then or later, by the start of the running period. */
  async function from(startOf: (per: QuotaPer) => number): Promise<QuotaUse[]> {
    const found = quotaPeriods.map(async (per) => {
      const rows = await database.all(loadSql, [per, startOf(per)])
      return rows.map((row) => ({
        limit: String(row['limit_name']),
        per,
        key: String(row['limit_key']),
        startMs: Number(row['starts_ms']),
        units: Number(row['used']),
      }))
    })
    return (await Promise.all(found)).flat()
  }

  const add = ({ limit, per, key, startMs, units }: QuotaUse): Statement => ({
    sql: addSql,
    params: [limit, per, key, startMs, units],
  })

  return {
    load: (nowMs) => from((per) => quotaSpan(per, nowMs).startMs),
    add,
    async bringBack(nowMs) {
      const ahead = await from((per) => quotaSpan(per, nowMs).endMs)
      return ahead
        .filter(({ per, startMs }) => isFarAhead(per, startMs, nowMs))
        .flatMap((use) => [
          { sql: dropSql, params: [use.limit, use.per, use.key, use.startMs] },
          add({ ...use, startMs: quotaSpan(use.per, nowMs).startMs }),
        ])
    },
    forget: ({ limit, per, key }) => ({ sql: forgetSql, params: [limit, per, key] }),
    prune: (nowMs) =>
      quotaPeriods.map((per) => ({
        sql: 'DELETE FROM limit_quotas WHERE per = ? AND starts_ms < ?',
        params: [per, quotaSpan(per, nowMs).startMs],
      })),
  }
}

/** What calls used and did not write down, since they were not recorded: written by and by, summed up, so that however
 *  many calls are refused no more is held than there are keys. */
export class QuotaLedger {
  readonly #store: Pick<QuotaStore, 'add'>
  #carried = new Map<string, QuotaUse>()

  constructor(store: Pick<QuotaStore, 'add'>) {
    this.#store = store
  }

  statements(uses: readonly QuotaUse[]): Statement[] {
    return uses.map((use) => this.#store.add(use))
  }

  carry(uses: readonly QuotaUse[]): void {
    for (const use of uses) {
      const name = JSON.stringify([use.limit, use.per, use.key, use.startMs])
      const before = this.#carried.get(name)?.units ?? 0
      this.#carried.set(name, { ...use, units: before + use.units })
    }
  }

  /** Lets go of what is carried of one key. */
  forget({ limit, per, key }: CountedKey): void {
    for (const [name, use] of this.#carried) {
      if (use.limit === limit && use.per === per && use.key === key) this.#carried.delete(name)
    }
  }

  get isSettled(): boolean {
    return this.#carried.size === 0
  }

  /** Writes what is carried. Rejects while the storage takes nothing; then it stays. */
  async settle(database: Pick<Database, 'execute'>): Promise<void> {
    const uses = [...this.#carried.values()]
    if (uses.length === 0) return
    this.#carried = new Map()
    try {
      await database.execute(this.statements(uses))
    } catch (error) {
      this.carry(uses)
      throw error
    }
  }
}
