/** Tells the operator's own systems once in each period when a quota is nearly used up. */
import type { Statement } from '../storage/database.ts'
import type { QuotaWebhooks } from './quota-requests.ts'

export interface QuotaStanding {
  readonly limit: string
  readonly per: 'day' | 'month'
  readonly units: number
  readonly used: number
  /** As the limiter keeps it. */
  readonly key: string
  readonly startMs: number
  readonly endMs: number
}

export interface QuotaNearParts {
  /** From so many percent on. */
  readonly percent: number
  readonly webhooks: () => QuotaWebhooks
  readonly execute: (statements: readonly Statement[]) => Promise<unknown>
  /** Told of what could not be written. */
  readonly onError: (error: unknown) => void
}

/** Names that are told; beyond them a database is asked again. */
const maxRemembered = 10_000

/** To be called with each quota that a call took of. Waits for nothing. */
export function createQuotaNear({ percent, webhooks, execute, onError }: QuotaNearParts) {
  const told = new Set<string>()
  return (standing: QuotaStanding): void => {
    const { limit, per, units, used, key, startMs, endMs } = standing
    if (used * 100 < percent * units || isOfNobodyKnown(key)) return
    const name = `${limit} ${key} ${startMs} ${units}`
    if (told.has(name) || !webhooks().hasListener('quota.near')) return
    if (told.size >= maxRemembered) told.clear()
    told.add(name)
    const params = [limit, key, startMs, units]
    const condition = {
      sql: `NOT EXISTS (SELECT 1 FROM quota_notices WHERE limit_name = ? AND limit_key = ? AND starts_ms = ? AND units = ?)`,
      params,
    }
    const payload = { limit, of: key, per, units, used, periodEnds: new Date(endMs).toISOString() }
    const note =
      'INSERT INTO quota_notices (limit_name, limit_key, starts_ms, units) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING'
    execute([...webhooks().statement({ type: 'quota.near', payload, condition }), { sql: note, params }]).then(
      () => webhooks().wake(),
      (error: unknown) => {
        told.delete(name)
        onError(error)
      },
    )
  }
}

/** Strangers share their counters; addresses and people are counted by keyed hashes, which are nobody's business, and
 *  there is one for each. */
function isOfNobodyKnown(key: string): boolean {
  return /^strangers=|(?:^| )(?:subject|address)=/.test(key)
}

/** Drops what was told of periods that began before a moment. */
export function pruneQuotaNotices(beforeMs: number): Statement {
  return { sql: 'DELETE FROM quota_notices WHERE starts_ms < ?', params: [beforeMs] }
}
