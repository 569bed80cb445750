/** The store of the people's pages on the node's database. */
import type { Database, Row, SqlValue, Statement } from '../storage/database.ts'
import type { LinkPurpose, PeopleStore, StoredLink, StoredPasskey, StoredSession } from './people-store.ts'

/** The tables are `peopleSchema`. */
export function createPeopleStore(database: Database): PeopleStore {
  return { ...linksOf(database), ...sessionsOf(database), ...passkeysOf(database), ...wholeOf(database) }
}

type Links = Pick<PeopleStore, 'insertLink' | 'findLink' | 'useLink'>
type Passkeys = Pick<PeopleStore, 'insertPasskey' | 'savePasskey' | 'findPasskeys'>
type Whole = Pick<PeopleStore, 'deleteSubject' | 'prune'>

function linksOf(database: Database): Links {
  return {
    insertLink: (link) => ({
      sql: `INSERT INTO people_links (hash, purpose, subject, consent, grantor, created_ms, expires_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?)`,
      params: [
        link.hash,
        link.purpose,
        link.subject ?? null,
        link.consent ?? null,
        link.grantor ?? null,
        link.createdMs,
        link.expiresMs,
      ],
    }),
    async findLink(hash) {
      const row = await database.get('SELECT * FROM people_links WHERE hash = ?', [hash])
      return row === undefined ? undefined : linkOf(row)
    },
    async useLink(hash, atMs) {
      const sql = 'UPDATE people_links SET used_ms = ? WHERE hash = ? AND used_ms IS NULL'
      return (await database.execute([{ sql, params: [atMs, hash] }]))[0] === 1
    },
  }
}

function sessionsOf(database: Database): Omit<PeopleStore, keyof Links | keyof Passkeys | keyof Whole> {
  const run = async (sql: string, params: readonly SqlValue[]): Promise<void> =>
    void (await database.execute([{ sql, params }]))
  return {
    insertSession: (session) =>
      run(
        `INSERT INTO people_sessions (hash, link, purpose, subject, consent, grantor, languages, opened_ms, seen_ms)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        [
          session.hash,
          session.link,
          session.purpose,
          session.subject,
          session.consent ?? null,
          session.grantor ?? null,
          session.languages,
          session.openedMs,
          session.seenMs,
        ],
      ),
    async findSession(hash) {
      const row = await database.get('SELECT * FROM people_sessions WHERE hash = ?', [hash])
      return row === undefined ? undefined : sessionOf(row)
    },
    saveSeen: (hash, { atMs, languages }) =>
      run('UPDATE people_sessions SET seen_ms = ?, languages = ? WHERE hash = ?', [atMs, languages, hash]),
    saveDecision: (hash, decision) =>
      run('UPDATE people_sessions SET decision = ? WHERE hash = ?', [decision ?? null, hash]),
    saveChallenge: (hash, challenge) =>
      run('UPDATE people_sessions SET challenge = ? WHERE hash = ?', [challenge, hash]),
    takeChallenge: (hash) =>
      database.transaction(async (tx) => {
        const row = await tx.get('SELECT challenge FROM people_sessions WHERE hash = ?', [hash])
        await tx.run('UPDATE people_sessions SET challenge = NULL WHERE hash = ?', [hash])
        return textOf(row?.['challenge'])
      }),
    deleteSession: (hash) => run('DELETE FROM people_sessions WHERE hash = ?', [hash]),
    deleteOtherSessions: ({ link, hash }) =>
      run('DELETE FROM people_sessions WHERE link = ? AND hash <> ?', [link, hash]),
  }
}

function passkeysOf(database: Database): Passkeys {
  return {
    async insertPasskey({ id, subject, passkey, createdMs }) {
      const sql = 'INSERT INTO people_passkeys (id, subject, passkey, created_ms) VALUES (?, ?, ?, ?)'
      await database.execute([{ sql, params: [id, subject, passkey, createdMs] }])
    },
    async savePasskey({ id, passkey }) {
      await database.execute([{ sql: 'UPDATE people_passkeys SET passkey = ? WHERE id = ?', params: [passkey, id] }])
    },
    async findPasskeys(subject) {
      const sql = 'SELECT * FROM people_passkeys WHERE subject = ? ORDER BY created_ms, id'
      return (await database.all(sql, [subject])).map(passkeyOf)
    },
  }
}

function wholeOf(database: Database): Whole {
  return {
    deleteSubject: (subject): Statement[] =>
      ['people_links', 'people_sessions', 'people_passkeys'].map((table) => ({
        sql: `DELETE FROM ${table} WHERE subject = ?`,
        params: [subject],
      })),
    async prune({ expiredMs, seenMs }) {
      await database.execute([
        { sql: 'DELETE FROM people_links WHERE expires_ms < ?', params: [expiredMs] },
        { sql: 'DELETE FROM people_sessions WHERE seen_ms < ?', params: [seenMs] },
      ])
    },
  }
}

function linkOf(row: Row): StoredLink {
  return {
    hash: String(row['hash']),
    purpose: row['purpose'] as LinkPurpose,
    subject: textOf(row['subject']),
    consent: textOf(row['consent']),
    grantor: textOf(row['grantor']),
    createdMs: Number(row['created_ms']),
    expiresMs: Number(row['expires_ms']),
    usedMs: typeof row['used_ms'] === 'number' ? row['used_ms'] : undefined,
  }
}

function sessionOf(row: Row): StoredSession {
  return {
    hash: String(row['hash']),
    link: String(row['link']),
    purpose: row['purpose'] as LinkPurpose,
    subject: String(row['subject']),
    consent: textOf(row['consent']),
    grantor: textOf(row['grantor']),
    languages: String(row['languages']),
    openedMs: Number(row['opened_ms']),
    seenMs: Number(row['seen_ms']),
    decision: textOf(row['decision']),
    challenge: textOf(row['challenge']),
  }
}

function passkeyOf(row: Row): StoredPasskey {
  return {
    id: String(row['id']),
    subject: String(row['subject']),
    passkey: String(row['passkey']),
    createdMs: Number(row['created_ms']),
  }
}

function textOf(value: SqlValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
