/** The consent store on the node's database. */
import type { ConsentActor, ConsentEvent, ConsentState } from '@comity/core/consent/consent-record'
import type { Database, Row, SqlValue } from '../../storage/database.ts'
import type { ConsentFilter } from '../consent-service.ts'
import type {
  ConsentMove,
  ConsentStore,
  KnownDelegate,
  StoredConsent,
  StoredRequest,
  StoredRevision,
  StoredStep,
} from './consent-store.ts'

const consentColumns = `id, state, seq, step_hash, rev, hash, recipient, subject, reference, template, requested_ms,
  lapses_ms, not_before_ms, expires_ms, due_ms, paused_by, status_uri, status_idx`
const requestColumns = 'consent, recipient, idempotency_key, fingerprint, body'
const revisionColumns = 'consent, rev, hash, created_ms, body'
const stepColumns = 'consent, seq, type, state, at_ms, hash, event, body'
const delegateColumns = 'consent, delegation, delegator, delegate, depth, first_seen_ms, ended_ms'

/** The look-up of every call; its plan is tested. */
export const findConsentSql = `SELECT ${consentColumns} FROM consents WHERE id = ?`

/** The look-up of every request; its plan is tested. */
export const findLatestSql = `SELECT ${consentColumns} FROM consents WHERE subject = ? AND recipient = ?
  ORDER BY CASE WHEN state IN ('requested', 'deferred') THEN 0 ELSE 1 END, id DESC LIMIT 1`

const lapsedBefore = "rev = 0 AND reference <> '' AND lapses_ms < ? AND state NOT IN ('requested', 'deferred')"

const defaultLimit = 50
const maxLimit = 500

type Writes =
  | 'insertConsent'
  | 'moveConsent'
  | 'insertRequest'
  | 'forgetLapsed'
  | 'insertRevision'
  | 'insertStep'
  | 'insertDelegate'
  | 'endDelegate'
  | 'mustStand'
type Rows = 'find' | 'findLatest' | 'list' | 'findDue'

/** The tables are `consentsMigrations`. */
export function createConsentStore(database: Database): ConsentStore {
  return { ...rowsOf(database), ...bodiesOf(database), ...writes }
}

function rowsOf(database: Database): Pick<ConsentStore, Rows> {
  const one = async (sql: string, params: SqlValue[]) => {
    const row = await database.get(sql, params)
    return row && consentOf(row)
  }
  return {
    find: (id) => one(findConsentSql, [id]),
    findLatest: (recipient, subject) => one(findLatestSql, [subject, recipient]),
    async list(filter) {
      const { sql, params } = listQuery(filter)
      return (await database.all(sql, params)).map(consentOf)
    },
    async findDue(nowMs, limit) {
      const sql = `SELECT ${consentColumns} FROM consents WHERE due_ms IS NOT NULL AND due_ms <= ?
        ORDER BY due_ms LIMIT ?`
      return (await database.all(sql, [nowMs, limit])).map(consentOf)
    },
  }
}

/** A filter that is absent does not count; there is no filter by which nothing is asked for and everything comes. */
export function listQuery({ subject, recipient, state, before, limit = defaultLimit }: ConsentFilter): {
  sql: string
  params: SqlValue[]
} {
  const conditions: [string, string | undefined][] = [
    ['subject = ?', subject],
    ['recipient = ?', recipient],
    ['state = ?', state],
    ['id < ?', before],
  ]
  const given = conditions.filter(([, value]) => value !== undefined)
  const where = given.length === 0 ? '' : `WHERE ${given.map(([condition]) => condition).join(' AND ')}`
  return {
    sql: `SELECT ${consentColumns} FROM consents ${where} ORDER BY id DESC LIMIT ?`,
    params: [...given.map(([, value]) => value as string), Math.max(1, Math.min(limit, maxLimit))],
  }
}

function bodiesOf(database: Database): Omit<ConsentStore, Writes | Rows> {
  const request = async (condition: string, params: SqlValue[]) => {
    const row = await database.get(`SELECT ${requestColumns} FROM consent_requests WHERE ${condition}`, params)
    return row && requestOf(row)
  }
  return {
    findRequest: (consent) => request('consent = ?', [consent]),
    findRequestByKey: (recipient, key) => request('recipient = ? AND idempotency_key = ?', [recipient, key]),
    async findRevision(consent, rev) {
      const sql = `SELECT ${revisionColumns} FROM consent_revisions WHERE consent = ? AND rev = ?`
      const row = await database.get(sql, [consent, rev])
      return row && revisionOf(row)
    },
    async loadRevisions(consent) {
      const sql = `SELECT ${revisionColumns} FROM consent_revisions WHERE consent = ? ORDER BY rev`
      return (await database.all(sql, [consent])).map(revisionOf)
    },
    async loadSteps(consent) {
      const sql = `SELECT ${stepColumns} FROM consent_steps WHERE consent = ? ORDER BY seq`
      return (await database.all(sql, [consent])).map(stepOf)
    },
    async loadDelegates(consent) {
      const sql = `SELECT ${delegateColumns} FROM consent_delegates WHERE consent = ?
        ORDER BY first_seen_ms, delegation, delegator`
      return (await database.all(sql, [consent])).map(delegateOf)
    },
  }
}

const places = (columns: string) => columns.replaceAll(/\w+/g, '?')

const writes: Pick<ConsentStore, Writes> = {
  insertConsent: (consent) => ({
    sql: `INSERT INTO consents (${consentColumns}) VALUES (${places(consentColumns)})`,
    params: paramsOf(consent),
  }),
  moveConsent: (id, fromSeq, move) => ({
    sql: `UPDATE consents SET state = ?, seq = ?, step_hash = ?, rev = ?, hash = ?, not_before_ms = ?, expires_ms = ?,
      due_ms = ?, paused_by = ? WHERE id = ? AND seq = ?`,
    params: [...standingOf(move), ...timesOf(move), move.pausedBy ?? null, id, fromSeq],
  }),
  insertRequest: ({ consent, recipient, idempotencyKey, fingerprint, body }) => ({
    sql: `INSERT INTO consent_requests (${requestColumns}) VALUES (${places(requestColumns)})`,
    params: [consent, recipient, idempotencyKey ?? null, fingerprint ?? null, body],
  }),
  forgetLapsed: (beforeMs) => [
    {
      sql: `UPDATE consent_requests SET body = '' WHERE consent IN (SELECT id FROM consents WHERE ${lapsedBefore})`,
      params: [beforeMs],
    },
    { sql: `UPDATE consents SET reference = '' WHERE ${lapsedBefore}`, params: [beforeMs] },
  ],
  insertRevision: ({ consent, rev, hash, createdMs, body }) => ({
    sql: `INSERT INTO consent_revisions (${revisionColumns}) VALUES (${places(revisionColumns)})`,
    params: [consent, rev, hash, createdMs, body],
  }),
  insertStep: ({ consent, seq, type, state, atMs, hash, event, body }) => ({
    sql: `INSERT INTO consent_steps (${stepColumns}) VALUES (${places(stepColumns)})`,
    params: [consent, seq, type, state, atMs, hash, event, body],
  }),
  // No delegate is NULL: the column refuses it.
  insertDelegate: ({ consent, delegation, delegator, delegate, depth, firstSeenMs, endedMs }) => ({
    sql: `INSERT INTO consent_delegates (${delegateColumns}) VALUES (${places(delegateColumns)})
      ON CONFLICT (consent, delegation, delegator) DO UPDATE SET delegate =
        CASE WHEN consent_delegates.delegate = excluded.delegate THEN excluded.delegate END`,
    params: [consent, delegation, delegator, delegate, depth, firstSeenMs, endedMs ?? null],
  }),
  // No state is NULL: the column refuses it.
  mustStand: ({ id, hash }) => ({
    sql: `UPDATE consents SET state = NULL WHERE id = ? AND (state <> 'active' OR hash <> ?)`,
    params: [id, hash],
  }),
  endDelegate: ({ consent, delegation, delegator }, atMs) => ({
    sql: `UPDATE consent_delegates SET ended_ms = ?
      WHERE consent = ? AND delegation = ? AND delegator = ? AND ended_ms IS NULL`,
    params: [atMs, consent, delegation, delegator],
  }),
}

const standingOf = ({ state, seq, stepHash, rev, hash }: ConsentMove): SqlValue[] => [
  state,
  seq,
  stepHash,
  rev,
  hash ?? null,
]
const timesOf = ({ notBeforeMs, expiresMs, dueMs }: ConsentMove): SqlValue[] => [
  notBeforeMs ?? null,
  expiresMs ?? null,
  dueMs ?? null,
]

function paramsOf(one: StoredConsent): SqlValue[] {
  const origin = [one.recipient, one.subject, one.reference, one.template ?? null, one.requestedMs, one.lapsesMs]
  const status = [one.pausedBy ?? null, one.status.uri, one.status.idx]
  return [one.id, ...standingOf(one), ...origin, ...timesOf(one), ...status]
}

const textOf = (value: SqlValue | undefined) => (typeof value === 'string' ? value : undefined)
const numberOf = (value: SqlValue | undefined) => (typeof value === 'number' ? value : undefined)

function consentOf(row: Row): StoredConsent {
  return {
    id: String(row['id']),
    state: String(row['state']) as ConsentState,
    seq: Number(row['seq']),
    stepHash: String(row['step_hash']),
    rev: Number(row['rev']),
    hash: textOf(row['hash']),
    recipient: String(row['recipient']),
    subject: String(row['subject']),
    reference: String(row['reference']),
    template: textOf(row['template']),
    requestedMs: Number(row['requested_ms']),
    lapsesMs: Number(row['lapses_ms']),
    notBeforeMs: numberOf(row['not_before_ms']),
    expiresMs: numberOf(row['expires_ms']),
    dueMs: numberOf(row['due_ms']),
    pausedBy: textOf(row['paused_by']) as ConsentActor | undefined,
    status: { uri: String(row['status_uri']), idx: Number(row['status_idx']) },
  }
}

function requestOf(row: Row): StoredRequest {
  return {
    consent: String(row['consent']),
    recipient: String(row['recipient']),
    idempotencyKey: textOf(row['idempotency_key']),
    fingerprint: textOf(row['fingerprint']),
    body: String(row['body']),
  }
}

function revisionOf(row: Row): StoredRevision {
  return {
    consent: String(row['consent']),
    rev: Number(row['rev']),
    hash: String(row['hash']),
    createdMs: Number(row['created_ms']),
    body: String(row['body']),
  }
}

function stepOf(row: Row): StoredStep {
  return {
    consent: String(row['consent']),
    seq: Number(row['seq']),
    type: String(row['type']) as ConsentEvent['type'],
    state: String(row['state']) as ConsentState,
    atMs: Number(row['at_ms']),
    hash: String(row['hash']),
    event: String(row['event']),
    body: String(row['body']),
  }
}

function delegateOf(row: Row): KnownDelegate {
  return {
    consent: String(row['consent']),
    delegation: String(row['delegation']),
    delegator: String(row['delegator']),
    delegate: String(row['delegate']),
    depth: Number(row['depth']),
    firstSeenMs: Number(row['first_seen_ms']),
    endedMs: numberOf(row['ended_ms']),
  }
}
