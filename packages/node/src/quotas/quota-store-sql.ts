/** The store of requests for a higher quota, on the node's database. */
import type { QuotaPer } from '@comity/core/limits/quota'
import type { Database, Row, SqlValue, Statement } from '../storage/database.ts'
import type { AskedQuota, QuotaAsk, QuotaDecision, QuotaRequest } from './quota-request.ts'
import type { QuotaPage, QuotaStore } from './quota-store.ts'

const wish = 'limit_name, product, units, per, reason, asked_ms, state'
const decided = 'decided_ms, granted_units, until_ms, note'
const requests = `id, participant, client, key_id, ${wish}`
const asks = `id, partner, ${wish}`

/** The tables are those of `quotasSchema`. */
export function createQuotaStore(database: Pick<Database, 'all' | 'get'>): QuotaStore {
  const findRequest = `SELECT ${requests}, ${decided} FROM quota_requests WHERE`
  const findAsk = `SELECT ${asks}, ${decided} FROM quota_asks WHERE`
  return {
    insertRequest: ({ asker: { participant, client, key }, ...asked }) => ({
      sql: `INSERT INTO quota_requests (${requests}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      params: [asked.id, participant, client, key, ...wishOf(asked)],
    }),
    async findRequest(id) {
      const row = await database.get(`${findRequest} id = ?`, [id])
      return row && requestOf(row)
    },
    async findOpen({ participant, client }, limit, product) {
      const sql = `${findRequest} participant = ? AND client = ? AND limit_name = ? AND product = ? AND state = 'asked'`
      const row = await database.get(sql, [participant, client, limit, product])
      return row && requestOf(row)
    },
    listRequests: async (page) => (await database.all(...paged(findRequest, page))).map(requestOf),
    async grants(nowMs) {
      const sql = `${findRequest} state = 'granted' AND until_ms > ? ORDER BY id`
      return (await database.all(sql, [nowMs])).map(requestOf)
    },
    decideRequest: (id, decision) => deciding('quota_requests', { id, decision, where: `state = 'asked'` }),
    changeGrant: (id, decision) => deciding('quota_requests', { id, decision, where: `state = 'granted'` }),
    saveAsk: ({ partner, ...asked }) => ({
      sql: `INSERT INTO quota_asks (${asks}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      params: [asked.id, partner, ...wishOf(asked)],
    }),
    async findAsk(id) {
      const row = await database.get(`${findAsk} id = ?`, [id])
      return row && askOf(row)
    },
    listAsks: async (page) => (await database.all(...paged(findAsk, page))).map(askOf),
    decideAsk: (id, partner, decision) =>
      deciding('quota_asks', {
        id,
        decision,
        where: `partner = ? AND (state = 'asked' OR decided_ms < ?)`,
        params: [partner, decision.decidedMs],
      }),
  }
}

function paged(find: string, { state, before, limit }: QuotaPage): [sql: string, params: SqlValue[]] {
  const conditions = [state === undefined ? [] : ['state = ?'], before === undefined ? [] : ['id < ?']].flat()
  const where = conditions.length === 0 ? '1 = 1' : conditions.join(' AND ')
  const given = [state, before].filter((value) => value !== undefined)
  return [`${find} ${where} ORDER BY id DESC LIMIT ?`, [...given, limit]]
}

interface Deciding {
  readonly id: string
  readonly decision: QuotaDecision
  /** What else the row must be. */
  readonly where: string
  readonly params?: readonly SqlValue[]
}

function deciding(table: 'quota_requests' | 'quota_asks', { id, decision, where, params = [] }: Deciding): Statement {
  const { state, decidedMs, units = null, untilMs = null, note = null } = decision
  return {
    sql: `UPDATE ${table} SET state = ?, decided_ms = ?, granted_units = ?, until_ms = ?, note = ?
      WHERE id = ? AND ${where}`,
    params: [state, decidedMs, units, untilMs, note, id, ...params],
  }
}

function wishOf({ limit, product, units, per, reason, askedMs, decision }: Omit<AskedQuota, 'id'>): SqlValue[] {
  return [limit, product, units, per, reason, askedMs, decision?.state ?? 'asked']
}

function askedOf(row: Row): AskedQuota {
  return {
    id: String(row['id']),
    limit: String(row['limit_name']),
    product: String(row['product']),
    units: Number(row['units']),
    per: String(row['per']) as QuotaPer,
    reason: String(row['reason']),
    askedMs: Number(row['asked_ms']),
    decision: decisionOf(row),
  }
}

function decisionOf(row: Row): QuotaDecision | undefined {
  const { state, decided_ms: decidedMs, granted_units: units, until_ms: untilMs, note } = row
  if (state === 'asked') return undefined
  return {
    state: String(state) as QuotaDecision['state'],
    decidedMs: Number(decidedMs),
    units: units === null ? undefined : Number(units),
    untilMs: untilMs === null ? undefined : Number(untilMs),
    note: note === null ? undefined : String(note),
  }
}

function requestOf(row: Row): QuotaRequest {
  const asker = {
    participant: String(row['participant']),
    client: String(row['client']),
    key: String(row['key_id']),
  }
  return { ...askedOf(row), asker }
}

const askOf = (row: Row): QuotaAsk => ({ ...askedOf(row), partner: String(row['partner']) })
