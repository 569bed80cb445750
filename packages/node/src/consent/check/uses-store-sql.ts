/** The store of released answers on the node's database. */
import type { Database, Row } from '../../storage/database.ts'
import type { ConsentUse, ConsentUsesStore, UseCounter } from './uses-store.ts'

const ofCounter = 'consent = ? AND grant_id = ? AND link = ?'
const selectCount = `SELECT COUNT(*) AS uses FROM consent_uses WHERE ${ofCounter}`
const selectTimes = `SELECT at_ms FROM consent_uses WHERE ${ofCounter} AND at_ms > ? ORDER BY at_ms DESC LIMIT ?`
const selectPage = `SELECT exchange, grant_id, link, at_ms, caller, via FROM consent_uses
  WHERE consent = ? AND exchange IN (
    SELECT DISTINCT exchange FROM consent_uses WHERE consent = ? AND exchange < ? ORDER BY exchange DESC LIMIT ?
  ) ORDER BY exchange DESC, link, grant_id`
const insertUse = `INSERT INTO consent_uses (consent, grant_id, link, at_ms, exchange, caller, via)
  VALUES (?, ?, ?, ?, ?, ?, ?)`

interface UseRow extends Row {
  readonly exchange: string
  readonly grant_id: string
  readonly link: string
  readonly at_ms: number
  readonly caller: string
  readonly via: string
}

/** On the table of `uses-schema.ts`. */
export function createConsentUsesStore(database: Database): ConsentUsesStore {
  return {
    async count(counter) {
      return (await database.get<{ uses: number }>(selectCount, keyOf(counter)))?.uses ?? 0
    },
    async timesAfter(counter, afterMs, limit) {
      const rows = await database.all<{ at_ms: number }>(selectTimes, [...keyOf(counter), afterMs, limit])
      return rows.map((row) => row.at_ms)
    },
    async list(consent, { before = '~', limit }) {
      return usesOf(consent, await database.all<UseRow>(selectPage, [consent, consent, before, limit]))
    },
    async callers(consent) {
      const sql = 'SELECT DISTINCT caller FROM consent_uses WHERE consent = ? ORDER BY caller'
      return (await database.all<{ caller: string }>(sql, [consent])).map(({ caller }) => caller)
    },
    insert({ exchange, consent, grants, links, atMs, caller, via }) {
      const said = [atMs, exchange, caller, JSON.stringify(via)]
      return ['', ...links].flatMap((link) =>
        grants.map((grant) => ({ sql: insertUse, params: [consent, grant, link, ...said] })),
      )
    },
  }
}

function keyOf({ consent, grant, link }: UseCounter): string[] {
  return [consent, grant, link]
}

/** One use of all rows with its exchange. */
function usesOf(consent: string, rows: readonly UseRow[]): ConsentUse[] {
  return [...Map.groupBy(rows, ({ exchange }) => exchange)].map(([exchange, of]) => {
    const [{ at_ms: atMs, caller, via }] = of as [UseRow]
    const distinct = (texts: string[]) => [...new Set(texts)].filter((text) => text !== '')
    return {
      exchange,
      consent,
      grants: distinct(of.map((row) => row.grant_id)),
      links: distinct(of.map((row) => row.link)),
      atMs,
      caller,
      via: JSON.parse(via) as string[],
    }
  })
}
