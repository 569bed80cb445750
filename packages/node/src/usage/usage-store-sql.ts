/** The store of usage, on the node's database. */
import type { Database, Row, SqlValue, Statement } from '../storage/database.ts'
import { refusalClasses, usageDimensions, type UsageCounts, type UsageFacts, type UsageSide } from './usage-record.ts'
import {
  dayMs,
  type UsageFilter,
  type UsageGroup,
  type UsageHour,
  type UsageQuestion,
  type UsageStore,
} from './usage-store.ts'

const summed = ['calls', 'failed', ...refusalClasses.map((name) => `refused_${name}`), 'units', 'bytes', 'upstream_ms']
const columnOf = (name: string): string => (name === 'key' ? 'key_id' : name)
const names = ['side', ...usageDimensions.map(columnOf)]
const identity = ['grain', 'starts_ms', ...names]
const columns = [...identity, ...summed, 'upstream_max_ms']

const onConflict = `ON CONFLICT (${identity.join(', ')}) DO UPDATE SET
  ${summed.map((name) => `${name} = usage_counts.${name} + excluded.${name}`).join(', ')},
  upstream_max_ms = CASE WHEN excluded.upstream_max_ms > usage_counts.upstream_max_ms
    THEN excluded.upstream_max_ms ELSE usage_counts.upstream_max_ms END`
const addSql = `INSERT INTO usage_counts (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')}) ${onConflict}`

const dayOf = `starts_ms - (starts_ms % ${dayMs})`
const sums = [...summed.map((name) => `SUM(${name}) AS ${name}`), 'MAX(upstream_max_ms) AS upstream_max_ms'].join(', ')
const rollSql = `INSERT INTO usage_counts (${columns.join(', ')})
  SELECT 'day', ${dayOf}, ${names.join(', ')}, ${sums} FROM usage_counts
  WHERE grain = 'hour' AND starts_ms < ? GROUP BY ${dayOf}, ${names.join(', ')} ${onConflict}`

/** The table is that of `usageSchema`. */
export function createUsageStore(database: Database): UsageStore {
  return {
    async add(hours) {
      await database.execute(hours.map(adding))
    },
    async sum(question) {
      const rows = await database.all(...sumQuery(question))
      const { by } = question
      return rows.map((row) => ({
        group: by.map((name, at) => (isTime(name) ? Number(row[`group_${at}`]) : String(row[`group_${at}`]))),
        counts: countsOf(row),
      }))
    },
    async hours(filter) {
      const { where, params } = conditionsOf(filter)
      const sql = `SELECT ${columns.join(', ')} FROM usage_counts WHERE grain = 'hour' AND ${where} ORDER BY starts_ms`
      return (await database.all(sql, params)).map((row) => ({
        ...factsOf(row),
        startMs: Number(row['starts_ms']),
        counts: countsOf(row),
      }))
    },
    async callers(filter) {
      const { where, params } = conditionsOf(filter)
      const list = names.join(', ')
      return (
        await database.all(`SELECT DISTINCT ${list} FROM usage_counts WHERE ${where} ORDER BY ${list}`, params)
      ).map(factsOf)
    },
    async tidy({ hoursFromMs, daysFromMs }) {
      await database.execute([
        { sql: rollSql, params: [hoursFromMs] },
        { sql: "DELETE FROM usage_counts WHERE grain = 'hour' AND starts_ms < ?", params: [hoursFromMs] },
        { sql: 'DELETE FROM usage_counts WHERE starts_ms < ?', params: [daysFromMs] },
      ])
    },
  }
}

const isTime = (name: UsageGroup): boolean => name === 'hour' || name === 'day'

function adding({ startMs, side, counts, ...facts }: UsageHour): Statement {
  const { calls, failed, refused, units, bytes, upstreamMs, upstreamMaxMs } = counts
  const whose = usageDimensions.map((name) => facts[name])
  const refusals = refusalClasses.map((name) => refused[name])
  const sumsOfCalls = [calls, failed, ...refusals, units, bytes, upstreamMs, upstreamMaxMs]
  return { sql: addSql, params: ['hour', startMs, side, ...whose, ...sumsOfCalls] }
}

interface Conditions {
  readonly where: string
  readonly params: readonly SqlValue[]
}

function conditionsOf({ side, fromMs, untilMs, ...wanted }: UsageFilter): Conditions {
  const given = usageDimensions.flatMap((name) => (wanted[name] === undefined ? [] : [[name, wanted[name]] as const]))
  return {
    where: ['side = ? AND starts_ms >= ? AND starts_ms < ?', ...given.map(([name]) => `${columnOf(name)} = ?`)].join(
      ' AND ',
    ),
    params: [side, fromMs, untilMs, ...given.map(([, value]) => value)],
  }
}

function sumQuery({ by, after, limit, ...filter }: UsageQuestion): [sql: string, params: readonly SqlValue[]] {
  const groups = by.map((name) => (name === 'hour' ? 'starts_ms' : name === 'day' ? dayOf : columnOf(name)))
  const { where, params } = conditionsOf(filter)
  const asked = [...groups.map((group, at) => `${group} AS group_${at}`), sums].join(', ')
  const list = groups.join(', ')
  const further = after === undefined ? '' : ` AND (${list}) > (${groups.map(() => '?').join(', ')})`
  const sql = `SELECT ${asked} FROM usage_counts WHERE ${where}${further} GROUP BY ${list} ORDER BY ${list} LIMIT ?`
  return [sql, [...params, ...(after ?? []), limit]]
}

function countsOf(row: Row): UsageCounts {
  const refused = refusalClasses.map((name) => [name, Number(row[`refused_${name}`])] as const)
  return {
    calls: Number(row['calls']),
    failed: Number(row['failed']),
    refused: Object.fromEntries(refused) as UsageCounts['refused'],
    units: Number(row['units']),
    bytes: Number(row['bytes']),
    upstreamMs: Number(row['upstream_ms']),
    upstreamMaxMs: Number(row['upstream_max_ms']),
  }
}

function factsOf(row: Row): UsageFacts {
  const texts = usageDimensions.map((name) => [name, String(row[columnOf(name)])] as const)
  return { side: String(row['side']) as UsageSide, ...(Object.fromEntries(texts) as Omit<UsageFacts, 'side'>) }
}
