/** Intents of unsafe calls and the answers kept for idempotency keys (draft-ietf-httpapi-idempotency-key-header). */
import type { Database, Row, SqlValue, Statement } from '../storage/database.ts'
import type { Answer } from './inbound-call.ts'

/** `running` until the outcome is recorded; `done` keeps the answer for its key; `unknown` after a crash or a time-out. */
export type IntentState = 'running' | 'done' | 'unknown'

export interface Intent {
  /** The exchange id. */
  readonly id: string
  /** DID of the caller, or `anonymous`. */
  readonly caller: string
  readonly idempotencyKey: string | undefined
  /** Base64url SHA-256 over method, target and body: two requests with one key must be the same request. */
  readonly fingerprint: string
  /** JSON of the intent's log event, from which an unknown outcome is reported. */
  readonly event: string
  readonly startedMs: number
  readonly nonce: { readonly keyid: string; readonly nonce: string; readonly expiresSeconds: number } | undefined
}

export interface StoredIntent {
  readonly id: string
  readonly caller: string
  readonly state: IntentState
  readonly fingerprint: string
  readonly event: string
  readonly answer: Answer | undefined
}

export interface IntentStore {
  findByKey(caller: string, idempotencyKey: string): Promise<StoredIntent | undefined>
  /** Intents without an outcome: what a crash left open. */
  findRunning(): Promise<StoredIntent[]>
  insert(intent: Intent): Statement
  /** Ends the intent with its answer; without an idempotency key nobody will ask for it and the row goes. */
  finish(id: string, idempotencyKey: string | undefined, answer: Answer): Statement
  /** Ends the intent as if it had not been: the upstream was never reached. */
  forget(id: string): Statement
  markUnknown(id: string): Statement
  /** Drops ended intents that started before; their keys may be used anew. */
  prune(startedBeforeMs: number): Statement
}

function toIntent(row: Row): StoredIntent {
  const headers = row['headers'] === null ? undefined : (JSON.parse(String(row['headers'])) as string[])
  return {
    id: String(row['id']),
    caller: String(row['caller']),
    state: String(row['state']) as IntentState,
    fingerprint: String(row['fingerprint']),
    event: String(row['event']),
    answer: headers && { status: Number(row['status']), headers, body: row['body'] as Uint8Array },
  }
}

const columns = 'id, caller, state, fingerprint, event, status, headers, body'
const insertSql = `INSERT INTO intents
  (id, caller, idempotency_key, fingerprint, event, state, started_ms, nonce_keyid, nonce, nonce_expires)
  VALUES (?, ?, ?, ?, ?, 'running', ?, ?, ?, ?)`

/** The store on the node's database. */
export function createIntentStore(database: Database): IntentStore {
  return {
    async findByKey(caller, idempotencyKey) {
      const sql = `SELECT ${columns} FROM intents WHERE caller = ? AND idempotency_key = ?`
      const row = await database.get(sql, [caller, idempotencyKey])
      return row && toIntent(row)
    },
    async findRunning() {
      return (await database.all(`SELECT ${columns} FROM intents WHERE state = 'running' ORDER BY id`)).map(toIntent)
    },
    insert({ id, caller, idempotencyKey, fingerprint, event, startedMs, nonce }) {
      const nonceColumns: SqlValue[] = nonce ? [nonce.keyid, nonce.nonce, nonce.expiresSeconds] : [null, null, null]
      return {
        sql: insertSql,
        params: [id, caller, idempotencyKey ?? null, fingerprint, event, startedMs, ...nonceColumns],
      }
    },
    finish(id, idempotencyKey, answer) {
      if (idempotencyKey === undefined) return this.forget(id)
      return {
        sql: `UPDATE intents SET state = 'done', status = ?, headers = ?, body = ? WHERE id = ?`,
        params: [answer.status, JSON.stringify(answer.headers), answer.body, id],
      }
    },
    forget: (id) => ({ sql: 'DELETE FROM intents WHERE id = ?', params: [id] }),
    markUnknown: (id) => ({ sql: `UPDATE intents SET state = 'unknown' WHERE id = ?`, params: [id] }),
    prune: (startedBeforeMs) => ({
      sql: `DELETE FROM intents WHERE state <> 'running' AND started_ms < ?`,
      params: [startedBeforeMs],
    }),
  }
}
