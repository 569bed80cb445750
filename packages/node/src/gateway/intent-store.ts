/** Intents of unsafe calls and of streamed answers, and the answers kept for idempotency keys (draft-ietf-httpapi-idempotency-key-header). */
import { decodeBase64url, encodeBase64url } from '@comity/core/bytes/base64url'
import type { Database, Row, SqlValue, Statement } from '../storage/database.ts'
import type { SubjectKey, SubjectVault } from '../vault/vault.ts'
import type { Answer } from './inbound-call.ts'

/** `running` until the outcome is recorded; `done` keeps the answer for its key; `unknown` after a crash or a time-out. */
export type IntentState = 'running' | 'done' | 'unknown'

/** The caller of an unsigned call. */
export const anonymous = 'anonymous'
/** The caller, where this node itself has called, and passes a streamed answer on to its application. */
export const ownCaller = 'own'

export interface Intent {
  /** The exchange id. */
  readonly id: string
  /** DID of the caller, `anonymous` or `own`. */
  readonly caller: string
  readonly idempotencyKey: string | undefined
  /** Base64url SHA-256 over method, target and body: two requests with one key must be the same request. */
  readonly fingerprint: string
  /** JSON of the intent's log event, from which an unknown outcome is reported. */
  readonly event: string
  readonly startedMs: number
  /** Under whose key it is kept what the call was, and its answer; undefined when it is about nobody. */
  readonly subject: SubjectKey | undefined
  readonly nonce: { readonly keyid: string; readonly nonce: string; readonly expiresSeconds: number } | undefined
}

export type EndedIntent = Pick<Intent, 'id' | 'idempotencyKey' | 'subject'>

export interface StoredIntent {
  readonly id: string
  readonly caller: string
  readonly state: IntentState
  /** Undefined when the person that the call was about was erased since; likewise `event` and `answer`. */
  readonly fingerprint: string | undefined
  readonly event: string | undefined
  /** Handle of the person that the call was about. */
  readonly subject: string | undefined
  readonly answer: Answer | undefined
}

export interface IntentStore {
  findByKey(caller: string, idempotencyKey: string): Promise<StoredIntent | undefined>
  /** Intents without an outcome: what a crash left open. */
  findRunning(): Promise<StoredIntent[]>
  insert(intent: Intent): Statement
  /** Ends the intent with its answer; without an idempotency key nobody will ask for it and the row goes. */
  finish(ended: EndedIntent, answer: Answer): Statement
  /** Ends the intent as if it had not been: the upstream was never reached. */
  forget(id: string): Statement
  markUnknown(id: string): Statement
  /** Drops ended intents that started before; their keys may be used anew. */
  prune(startedBeforeMs: number): Statement
}

type Unseal = SubjectVault['unseal']

async function toIntent(row: Row, unseal: Unseal): Promise<StoredIntent> {
  const { subject } = row
  const open = async (text: SqlValue | undefined) =>
    text === null || text === undefined || typeof subject !== 'string' ? text : unseal(String(text))
  return {
    id: String(row['id']),
    caller: String(row['caller']),
    state: String(row['state']) as IntentState,
    subject: typeof subject === 'string' ? subject : undefined,
    fingerprint: textOf(await open(row['fingerprint'])),
    event: textOf(await open(row['event'])),
    answer: await toAnswer(row, open),
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** A sealed body is the sealed base64url text of the bytes. */
async function toAnswer(
  row: Row,
  open: (text: SqlValue | undefined) => Promise<SqlValue | undefined>,
): Promise<Answer | undefined> {
  const headers = textOf(await open(row['headers'] ?? null))
  if (headers === undefined) return undefined
  const kept = row['body'] as Uint8Array
  const sealed = typeof row['subject'] === 'string'
  const body = sealed ? decodeBase64url(String(await open(Buffer.from(kept).toString('latin1')))) : kept
  return { status: Number(row['status']), headers: JSON.parse(headers) as string[], body }
}

const columns = 'id, caller, state, fingerprint, event, status, headers, body, subject'
const insertSql = `INSERT INTO intents
  (id, caller, idempotency_key, fingerprint, event, state, started_ms, nonce_keyid, nonce, nonce_expires, subject)
  VALUES (?, ?, ?, ?, ?, 'running', ?, ?, ?, ?, ?)`

function sealedBody(subject: SubjectKey, { body }: Answer): Uint8Array {
  return Buffer.from(subject.seal(encodeBase64url(body)), 'latin1')
}

/** The store on the node's database; `vault` reads what is kept under a person's key. */
export function createIntentStore(database: Database, vault: Pick<SubjectVault, 'unseal'>): IntentStore {
  const unseal: Unseal = (sealed) => vault.unseal(sealed)
  return {
    async findByKey(caller, idempotencyKey) {
      const sql = `SELECT ${columns} FROM intents WHERE caller = ? AND idempotency_key = ?`
      const row = await database.get(sql, [caller, idempotencyKey])
      return row && toIntent(row, unseal)
    },
    async findRunning() {
      const rows = await database.all(`SELECT ${columns} FROM intents WHERE state = 'running' ORDER BY id`)
      return Promise.all(rows.map((row) => toIntent(row, unseal)))
    },
    insert({ id, caller, idempotencyKey, fingerprint, event, startedMs, nonce, subject }) {
      const kept = (text: string) => subject?.seal(text) ?? text
      const nonceColumns: SqlValue[] = nonce ? [nonce.keyid, nonce.nonce, nonce.expiresSeconds] : [null, null, null]
      return {
        sql: insertSql,
        params: [
          id,
          caller,
          idempotencyKey ?? null,
          kept(fingerprint),
          kept(event),
          startedMs,
          ...nonceColumns,
          subject?.handle ?? null,
        ],
      }
    },
    finish({ id, idempotencyKey, subject }, answer) {
      if (idempotencyKey === undefined) return this.forget(id)
      const headers = JSON.stringify(answer.headers)
      return {
        sql: `UPDATE intents SET state = 'done', status = ?, headers = ?, body = ? WHERE id = ?`,
        params: [
          answer.status,
          subject?.seal(headers) ?? headers,
          subject ? sealedBody(subject, answer) : answer.body,
          id,
        ],
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
