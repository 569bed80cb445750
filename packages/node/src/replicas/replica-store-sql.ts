/** The store of replicas, on the node's database. */
import type { Database, Row, SqlValue, Statement } from '../storage/database.ts'
import type { Replica } from './replica.ts'
import type { Due, DueKey, DueReplicas, ReplicasOf, ReplicaStore, UnderAgreement } from './replica-store.ts'

const columns = `id, holder, product, version, operation, agreement, purpose, held, consent, consent_hash, subject,
  exchange, fetched_ms, validated_ms, confirmed_ms, until_ms, sealed, own`
const select = `SELECT ${columns} FROM replicas`
/** What a later answer to the same call changes. */
const replaced = `version operation agreement held consent consent_hash subject exchange fetched_ms validated_ms
  confirmed_ms until_ms sealed`.split(/\s+/)
const insert = `INSERT INTO replicas (${columns}) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?`
const update = replaced.map((column) => `${column} = excluded.${column}`).join(', ')
const count = 'INSERT INTO replica_removals (holder, consent, subject, removed_ms, replicas)'
const counted = `FROM replicas WHERE sealed <> '' AND consent IS NOT NULL`

const textOf = (value: SqlValue | undefined) => (typeof value === 'string' ? value : undefined)
const numberOf = (value: SqlValue | undefined) => (typeof value === 'number' ? value : undefined)
const nulled = (values: readonly (SqlValue | undefined)[]): SqlValue[] => values.map((value) => value ?? null)

function toReplica(row: Row): Replica {
  return {
    id: String(row['id']),
    holder: String(row['holder']),
    product: String(row['product']),
    version: textOf(row['version']),
    operation: textOf(row['operation']),
    agreement: textOf(row['agreement']),
    purpose: textOf(row['purpose']),
    held: textOf(row['held']),
    consent: textOf(row['consent']),
    consentHash: textOf(row['consent_hash']),
    subject: textOf(row['subject']),
    exchange: String(row['exchange']),
    fetchedMs: Number(row['fetched_ms']),
    validatedMs: Number(row['validated_ms']),
    confirmedMs: Number(row['confirmed_ms']),
    untilMs: numberOf(row['until_ms']),
    sealed: String(row['sealed']),
    own: textOf(row['own']),
  }
}

/** A condition on rows. */
interface Where {
  readonly sql: string
  readonly params: readonly SqlValue[]
}

function whereOf(of: ReplicasOf): Where {
  if ('held' in of) return { sql: 'held = ?', params: [of.held] }
  if ('consent' in of) return { sql: 'holder = ? AND consent = ?', params: [of.holder, of.consent] }
  return { sql: 'holder = ? AND subject = ?', params: [of.holder, of.subject] }
}

function underAgreement({ holder, product, operation, purpose, agreement }: UnderAgreement): Where {
  return {
    sql: `agreement = ? AND holder = ? AND product = ? AND COALESCE(operation, '') = ? AND COALESCE(purpose, '') = ?`,
    params: [agreement, holder, product, operation ?? '', purpose ?? ''],
  }
}

/** Behind a place in the order of two columns; everywhere without one. */
function behind(since: string, id: string, after: DueKey | undefined): Where {
  if (after === undefined) return { sql: '1 = 1', params: [] }
  const { sinceMs } = after
  return { sql: `(${since} > ? OR (${since} = ? AND ${id} > ?))`, params: [sinceMs, sinceMs, after.id] }
}

const one = (id: string): Where => ({ sql: 'id = ?', params: [id] })
const due = (nowMs: number): Where => ({ sql: 'until_ms <= ?', params: [nowMs] })

function counting({ sql, params }: Where, nowMs: number): Statement {
  return {
    sql: `${count} SELECT holder, consent, subject, ?, COUNT(*) ${counted} AND ${sql} GROUP BY holder, consent, subject`,
    params: [nowMs, ...params],
  }
}

function emptying(where: Where, nowMs: number): Statement[] {
  return [
    counting(where, nowMs),
    { sql: `DELETE FROM replicas WHERE own IS NULL AND ${where.sql}`, params: where.params },
    { sql: `UPDATE replicas SET sealed = '' WHERE ${where.sql}`, params: where.params },
  ]
}

function removing(where: Where, nowMs: number): Statement[] {
  return [counting(where, nowMs), { sql: `DELETE FROM replicas WHERE ${where.sql}`, params: where.params }]
}

function put(replica: Replica, condition: Statement): Statement {
  const { id, holder, product, version, operation, agreement, purpose } = replica
  const { held, consent, consentHash, subject, exchange, sealed, own } = replica
  const { fetchedMs, validatedMs, confirmedMs, untilMs } = replica
  const named = [id, holder, product, version, operation, agreement, purpose, held, consent, consentHash, subject]
  const kept = [exchange, fetchedMs, validatedMs, confirmedMs, untilMs, sealed, own]
  return {
    sql: `${insert} WHERE ${condition.sql} ON CONFLICT (id) DO UPDATE SET ${update}`,
    params: nulled([...named, ...kept, ...(condition.params ?? [])]),
  }
}

/** The store on a database. */
export function createReplicaStore(database: Database): ReplicaStore {
  return { ...reads(database), ...dueReads(database), ...writes }
}

function replicasIn(database: Database) {
  return async (sql: string, params: readonly SqlValue[]) =>
    (await database.all(`${select} ${sql}`, params)).map(toReplica)
}

function reads(database: Database) {
  const all = replicasIn(database)
  return {
    async find(id: string) {
      const row = await database.get(`${select} WHERE id = ?`, [id])
      return row && toReplica(row)
    },
    list: ({ holder, consent, after = '', limit }) =>
      all('WHERE id > ? AND (? IS NULL OR holder = ?) AND (? IS NULL OR consent = ?) ORDER BY id LIMIT ?', [
        after,
        ...nulled([holder, holder, consent, consent]),
        limit,
      ]),
    async agreements() {
      const rows = await database.all(
        `SELECT DISTINCT holder, product, operation, purpose, agreement FROM replicas
          WHERE agreement IS NOT NULL AND sealed <> ''`,
      )
      return rows.map((row) => ({
        holder: String(row['holder']),
        product: String(row['product']),
        operation: textOf(row['operation']),
        purpose: textOf(row['purpose']),
        agreement: String(row['agreement']),
      }))
    },
    async removed(of) {
      const { sql, params } = whereOf(of)
      const row = await database.get(
        `SELECT SUM(replicas) AS n, MAX(removed_ms) AS at FROM replica_removals WHERE ${sql}`,
        params,
      )
      const removed = Number(row?.['n'] ?? 0)
      return removed > 0 ? { removed, at: Number(row?.['at']) } : undefined
    },
  } satisfies Partial<ReplicaStore>
}

/** What a round has to do. */
function dueReads(database: Database) {
  const all = replicasIn(database)
  return {
    findUnvalidated({ holder, product, operations, beforeMs, after, limit }: DueReplicas) {
      const named = operations === undefined ? '' : ` AND operation IN (${operations.map(() => '?').join(', ')})`
      const key = behind('validated_ms', 'id', after)
      return all(
        `WHERE sealed <> '' AND holder = ? AND product = ?${named} AND validated_ms <= ? AND ${key.sql}
          ORDER BY validated_ms, id LIMIT ?`,
        [holder, product, ...(operations ?? []), beforeMs, ...key.params, limit],
      )
    },
    async findUnconfirmed({ beforeMs, after, limit }: Due) {
      const key = behind('MIN(confirmed_ms)', 'held', after)
      const rows = await database.all(
        `SELECT held, MIN(confirmed_ms) AS since FROM replicas
          WHERE held IS NOT NULL AND sealed <> '' AND confirmed_ms <= ?
          GROUP BY held HAVING ${key.sql} ORDER BY since, held LIMIT ?`,
        [beforeMs, ...key.params, limit],
      )
      return rows.map(({ held, since }) => ({ held: String(held), sinceMs: Number(since) }))
    },
    async countDue(nowMs) {
      const row = await database.get('SELECT COUNT(*) AS n FROM replicas WHERE until_ms <= ?', [nowMs])
      return Number(row?.['n'] ?? 0)
    },
  } satisfies Partial<ReplicaStore>
}

const writes = {
  put,
  revalidate: ({ id, exchange }, { consentHash, agreement, untilMs, nowMs }) => ({
    sql: `UPDATE replicas SET consent_hash = ?, agreement = ?, until_ms = ?, validated_ms = ?, confirmed_ms = ?
      WHERE id = ? AND exchange = ? AND sealed <> ''`,
    params: nulled([consentHash, agreement, untilMs, nowMs, nowMs, id, exchange]),
  }),
  confirm: (held, nowMs) => ({ sql: 'UPDATE replicas SET confirmed_ms = ? WHERE held = ?', params: [nowMs, held] }),
  setOwn: (id, own) =>
    own === undefined
      ? [
          { sql: `DELETE FROM replicas WHERE id = ? AND sealed = ''`, params: [id] },
          { sql: 'UPDATE replicas SET own = NULL WHERE id = ?', params: [id] },
        ]
      : [{ sql: 'UPDATE replicas SET own = ? WHERE id = ?', params: [own, id] }],
  empty: (of, nowMs) => emptying(whereOf(of), nowMs),
  emptyOne: (id, nowMs) => emptying(one(id), nowMs),
  emptyUnder: (under, nowMs) => emptying(underAgreement(under), nowMs),
  remove: (of, nowMs) => removing(whereOf(of), nowMs),
  removeOne: (id, nowMs) => removing(one(id), nowMs),
  removeDue: (nowMs) => removing(due(nowMs), nowMs),
  deleteSubject: (subject) => [
    { sql: 'DELETE FROM replicas WHERE subject = ?', params: [subject] },
    { sql: 'DELETE FROM replica_removals WHERE subject = ?', params: [subject] },
  ],
} satisfies Partial<ReplicaStore>
