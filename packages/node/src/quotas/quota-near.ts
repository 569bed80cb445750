/** Tells the operator's own systems, and the client whose quota it is, once in each period when a quota is nearly used
 *  up. */
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
  readonly webhooks: QuotaWebhooks
  /** Whose key that is; undefined for none. */
  readonly clientOfKey: (id: string) => Promise<string | undefined>
  readonly execute: (statements: readonly Statement[]) => Promise<unknown>
  /** Told of what could not be written. */
  readonly onError: (error: unknown) => void
}

/** Names that are told; beyond them a database is asked again. */
const maxRemembered = 10_000

/** To be called with each quota that a call took of. Waits for nothing. */
export function createQuotaNear(parts: QuotaNearParts) {
  const told = new Set<string>()
  return (standing: QuotaStanding): void => {
    const { limit, units, used, key, startMs } = standing
    if (used * 100 < parts.percent * units || isOfNobodyKnown(key)) return
    const name = `${limit} ${key} ${startMs} ${units}`
    const { webhooks } = parts
    const isHeard = webhooks.hasListener('quota.near') || webhooks.hasClientListener('quota.near')
    if (told.has(name) || !isHeard) return
    if (told.size >= maxRemembered) told.clear()
    told.add(name)
    tell(parts, standing).catch((error: unknown) => {
      told.delete(name)
      parts.onError(error)
    })
  }
}

async function tell({ webhooks, clientOfKey, execute }: QuotaNearParts, standing: QuotaStanding) {
  const { limit, per, units, used, key, startMs, endMs } = standing
  const params = [limit, key, startMs, units]
  const condition = {
    sql: `NOT EXISTS (SELECT 1 FROM quota_notices WHERE limit_name = ? AND limit_key = ? AND starts_ms = ? AND units = ?)`,
    params,
  }
  const facts = { limit, of: key, per, units, used, periodEnds: new Date(endMs).toISOString() }
  const client = await clientOf(key, clientOfKey)
  const payload = { client, ...facts }
  const messages = [
    ...webhooks.statement({ type: 'quota.near', payload: facts, condition }),
    ...(client === undefined ? [] : webhooks.clientStatement({ type: 'quota.near', client, payload, condition })),
  ]
  if (messages.length === 0) return
  const note =
    'INSERT INTO quota_notices (limit_name, limit_key, starts_ms, units) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING'
  await execute([...messages, { sql: note, params }])
  webhooks.wake()
}

/** Whose quota it is alone: what a participant's calls or all calls are counted in is used by others too. */
async function clientOf(key: string, clientOfKey: QuotaNearParts['clientOfKey']): Promise<string | undefined> {
  const [, client] = /(?:^| )client=([a-z0-9-]+)(?: |$)/.exec(key) ?? []
  if (client !== undefined) return client
  const [, id] = /(?:^| )key=([0-9A-Za-z]{8})(?: |$)/.exec(key) ?? []
  return id === undefined ? undefined : clientOfKey(id)
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
