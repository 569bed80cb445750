/** The recipient's store on the node's database. */
import type { ConsentState } from '@comity/core/consent/consent-record'
import type { Database, Row, SqlValue, Statement } from '../../storage/database.ts'
import type { Delegation, DelegationEnd, HeldConsent, SignedTemplate } from './held-consent.ts'
import type { HeldFilter, HeldStore, ToldStep } from './held-store.ts'

const heldColumns =
  'id, consent, holder, source, delegation, subject, label, state, rev, hash, seq, source_seq, expires_ms, lapses_ms, ' +
  'created_ms, changed_ms, checked_ms, read_rev, sealed'
const delegationColumns = 'id, held, consent, delegate, sealed, until_ms, created_ms, ended_ms, ended_by'
const templateColumns = 'id, version, hash, jws, signed_ms'
const hasNotEnded = "state NOT IN ('refused', 'expired', 'withdrawn', 'revoked', 'superseded')"

/** The tables are `heldConsentsMigrations` and `delegationEndSchema`. */
export function createHeldStore(database: Database): HeldStore {
  return { ...consentQueries(database), ...consentWrites, ...delegations(database), ...templates(database) }
}

function consentQueries(database: Database) {
  const select = `SELECT ${heldColumns} FROM held_consents`
  return {
    async find(id: string) {
      const row = await database.get(`${select} WHERE id = ?`, [id])
      return row && heldOf(row)
    },
    findByConsent: async (consent: string) =>
      (await database.all(`${select} WHERE consent = ? ORDER BY id`, [consent])).map(heldOf),
    findForSubject: async (holder: string, subject: string) =>
      (await database.all(`${select} WHERE subject = ? AND holder = ? ORDER BY id DESC`, [subject, holder])).map(
        heldOf,
      ),
    async countUnread(holder: string) {
      const sql = `SELECT COUNT(*) AS unread FROM held_consents WHERE subject IS NULL AND holder = ?
        AND lapses_ms IS NULL AND delegation IS NULL`
      return Number((await database.get(sql, [holder]))?.['unread'] ?? 0)
    },
    async list({ state, holder, subject, label, before, limit }: HeldFilter) {
      const wanted = Object.entries({ state, holder, subject, label }).filter(([, value]) => value !== undefined)
      const where = [...wanted.map(([name]) => `${name} = ?`), ...(before === undefined ? [] : ['id < ?'])]
      const params = [...wanted.map(([, value]) => value as string), ...(before === undefined ? [] : [before]), limit]
      const condition = where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`
      return (await database.all(`${select}${condition} ORDER BY id DESC LIMIT ?`, params)).map(heldOf)
    },
    async findOpen(beforeMs: number, limit: number) {
      const sql = `${select} WHERE checked_ms < ? AND (state IN ('requested', 'deferred', 'paused')
        OR (state = 'active' AND read_rev < rev AND delegation IS NULL))
        ORDER BY checked_ms, id LIMIT ?`
      return (await database.all(sql, [beforeMs, limit])).map(heldOf)
    },
  }
}

const consentWrites = {
  insert: (held: HeldConsent): Statement => ({
    sql: `INSERT INTO held_consents (${heldColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING`,
    params: nulled([
      held.id,
      held.consent,
      held.holder,
      held.source,
      held.delegation,
      held.subject,
      held.label,
      held.state,
      held.rev,
      held.hash,
      held.seq,
      held.sourceSeq,
      held.expiresMs,
      held.lapsesMs,
      held.createdMs,
      held.changedMs,
      held.checkedMs,
      held.readRev,
      held.sealed,
    ]),
  }),
  applyStep: ({ id, state, rev, hash, seq, atMs }: ToldStep): Statement => ({
    sql: `UPDATE held_consents SET state = ?, rev = ?, hash = ?, seq = ?, changed_ms = ?
      WHERE id = ? AND seq < ? AND ${hasNotEnded}`,
    params: nulled([state, rev, hash, seq, atMs, id, seq]),
  }),
  applySourceStep: ({ id, state, rev, hash, seq, atMs }: ToldStep): Statement => ({
    sql: `UPDATE held_consents SET state = ?, rev = ?, hash = ?, source_seq = ?, changed_ms = ?
      WHERE id = ? AND seq < ? AND source_seq < ? AND ${hasNotEnded}`,
    params: nulled([state, rev, hash, seq, atMs, id, seq, seq]),
  }),
  save: (held: HeldConsent): Statement => ({
    sql: `UPDATE held_consents SET state = ?, rev = ?, hash = ?, seq = ?, lapses_ms = ?, changed_ms = ?, checked_ms = ?
      WHERE id = ? AND seq <= ? AND ${hasNotEnded}`,
    params: nulled([
      held.state,
      held.rev,
      held.hash,
      held.seq,
      held.lapsesMs,
      held.changedMs,
      held.checkedMs,
      held.id,
      held.seq,
    ]),
  }),
  saveDetails: ({ id, subject, expiresMs, readRev, sealed }: HeldConsent): Statement => ({
    sql: 'UPDATE held_consents SET subject = ?, expires_ms = ?, read_rev = ?, sealed = ? WHERE id = ?',
    params: nulled([subject, expiresMs, readRev, sealed, id]),
  }),
  setState: ({ id, seq, sourceSeq }: HeldConsent, state: ConsentState, atMs: number): Statement => ({
    sql: `UPDATE held_consents SET state = ?, changed_ms = ?
      WHERE id = ? AND seq = ? AND source_seq = ? AND ${hasNotEnded}`,
    params: nulled([state, atMs, id, seq, sourceSeq]),
  }),
  end: (id: string, atMs: number): Statement => ({
    sql: `UPDATE held_consents SET state = 'revoked', changed_ms = ? WHERE id = ? AND ${hasNotEnded}`,
    params: nulled([atMs, id]),
  }),
  differsFrom: ({ id, state, rev, seq }: Pick<HeldConsent, 'id' | 'state' | 'rev' | 'seq'>): Statement => ({
    sql: `EXISTS (SELECT 1 FROM held_consents
      WHERE id = ? AND seq <= ? AND (state <> ? OR rev < ?) AND ${hasNotEnded})`,
    params: [id, seq, state, rev],
  }),
  isMissing: (id: string): Statement => ({
    sql: 'NOT EXISTS (SELECT 1 FROM held_consents WHERE id = ?)',
    params: [id],
  }),
  stands: ({ id, hash }: Pick<HeldConsent, 'id' | 'hash'>): Statement => ({
    sql: `EXISTS (SELECT 1 FROM held_consents WHERE id = ? AND state = 'active' AND hash = ?)`,
    params: nulled([id, hash]),
  }),
  noteChecked: (id: string, atMs: number): Statement => ({
    sql: 'UPDATE held_consents SET checked_ms = ? WHERE id = ?',
    params: nulled([atMs, id]),
  }),
}

function delegations(database: Database) {
  const select = `SELECT ${delegationColumns} FROM delegations`
  return {
    insertDelegation: (one: Delegation): Statement => ({
      sql: `INSERT INTO delegations (${delegationColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      params: nulled([
        one.id,
        one.held,
        one.consent,
        one.delegate,
        one.sealed,
        one.untilMs,
        one.createdMs,
        one.endedMs,
        one.endedBy,
      ]),
    }),
    async findDelegation(id: string) {
      const row = await database.get(`${select} WHERE id = ?`, [id])
      return row && delegationOf(row)
    },
    standingDelegations: async (held: string) =>
      (await database.all(`${select} WHERE held = ? AND ended_ms IS NULL ORDER BY id`, [held])).map(delegationOf),
    async delegationsTo(consent: string, delegate: string) {
      const sql = `${select} WHERE consent = ? AND delegate = ? AND ended_ms IS NULL ORDER BY id`
      return (await database.all(sql, [consent, delegate])).map(delegationOf)
    },
    listDelegations: async (limit: number) =>
      (await database.all(`${select} ORDER BY id DESC LIMIT ?`, [limit])).map(delegationOf),
    endDelegation: (id: string, { atMs, by }: { readonly atMs: number; readonly by: DelegationEnd }): Statement => ({
      sql: 'UPDATE delegations SET ended_ms = ?, ended_by = ? WHERE id = ? AND ended_ms IS NULL',
      params: nulled([atMs, by, id]),
    }),
    narrowDelegation: ({ id, sealed, untilMs }: Pick<Delegation, 'id' | 'sealed' | 'untilMs'>): Statement => ({
      sql: 'UPDATE delegations SET sealed = ?, until_ms = ? WHERE id = ? AND ended_ms IS NULL',
      params: [sealed, untilMs, id],
    }),
  }
}

function templates(database: Database) {
  const select = `SELECT ${templateColumns} FROM consent_templates`
  return {
    insertTemplate: ({ id, version, hash, jws, signedMs }: SignedTemplate): Statement => ({
      sql: `INSERT INTO consent_templates (${templateColumns}) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      params: nulled([id, version, hash, jws, signedMs]),
    }),
    listTemplates: async () => (await database.all(`${select} ORDER BY signed_ms DESC, id, version`)).map(templateOf),
    async findTemplate(id: string, version?: string) {
      const narrower = version === undefined ? '' : ' AND version = ?'
      const params = version === undefined ? [id] : [id, version]
      const row = await database.get(`${select} WHERE id = ?${narrower} ORDER BY signed_ms DESC, version DESC`, params)
      return row && templateOf(row)
    },
  }
}

/** Parameters in which what is not there is NULL. */
const nulled = (values: readonly (SqlValue | undefined)[]): SqlValue[] => values.map((value) => value ?? null)
const isThere = (value: SqlValue | undefined): boolean => value !== undefined && value !== null
const textOf = (value: SqlValue | undefined): string | undefined => (isThere(value) ? String(value) : undefined)
const numberOf = (value: SqlValue | undefined): number | undefined => (isThere(value) ? Number(value) : undefined)

function heldOf(row: Row): HeldConsent {
  return {
    id: String(row['id']),
    consent: String(row['consent']),
    holder: String(row['holder']),
    source: String(row['source']),
    delegation: textOf(row['delegation']),
    subject: textOf(row['subject']),
    label: textOf(row['label']),
    state: String(row['state']) as ConsentState,
    rev: Number(row['rev']),
    hash: textOf(row['hash']),
    seq: Number(row['seq']),
    sourceSeq: Number(row['source_seq']),
    expiresMs: numberOf(row['expires_ms']),
    lapsesMs: numberOf(row['lapses_ms']),
    createdMs: Number(row['created_ms']),
    changedMs: Number(row['changed_ms']),
    checkedMs: Number(row['checked_ms']),
    readRev: Number(row['read_rev']),
    sealed: String(row['sealed']),
  }
}

function delegationOf(row: Row): Delegation {
  return {
    id: String(row['id']),
    held: String(row['held']),
    consent: String(row['consent']),
    delegate: String(row['delegate']),
    sealed: String(row['sealed']),
    untilMs: Number(row['until_ms']),
    createdMs: Number(row['created_ms']),
    endedMs: numberOf(row['ended_ms']),
    endedBy: textOf(row['ended_by']) as DelegationEnd | undefined,
  }
}

function templateOf(row: Row): SignedTemplate {
  return {
    id: String(row['id']),
    version: String(row['version']),
    hash: String(row['hash']),
    jws: String(row['jws']),
    signedMs: Number(row['signed_ms']),
  }
}
