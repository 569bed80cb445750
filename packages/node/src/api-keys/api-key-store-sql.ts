/** The store of clients, keys and rotations, on the node's database. */
import type { Environment, KeyUse } from '@comity/core/api-keys/api-key'
import type { KeyScope } from '@comity/core/api-keys/key-scope'
import type { KeyRotation, Retirement, RotationState } from '@comity/core/api-keys/key-rotation'
import type { Database, Row, SqlValue, Statement } from '../storage/database.ts'
import type { ApiKeyRecord, ChangedBy, KeyState } from './api-key-record.ts'
import type { ApiKeyFilter, ApiKeyStore, RotationFilter, Succession } from './api-key-store.ts'
import type { Client, ClientKind, ClientPolicies } from './client.ts'

const clientColumns = 'id, name, kind, owner, labels, participant, policies, created_ms, removed_ms'
const keyColumns = `id, client, environment, used_as, verifier, issued_by, created_ms, scope, networks, owner, labels,
  sequence, not_before_ms, expires_ms, state, reason, enabled_ms, ended_ms, warned_ms, line_ends_ms, lifetime_days, succeeds`
const rotationColumns = `id, client, from_key, created_ms, to_key, state, overlap_from_ms, drain_from_ms, sunset_ms,
  retire, quiet_seconds, ended_ms`

/** The tables are `apiKeysSchema`. */
export function createApiKeyStore(database: Database): ApiKeyStore {
  return { ...clients(database), ...keys(database), ...rotations(database) }
}

function clients(database: Database) {
  return {
    listClients: async () => (await database.all(`SELECT ${clientColumns} FROM clients ORDER BY id`)).map(toClient),
    insertClient: (client: Client) => insert('clients', clientColumns, [client.id, ...clientValues(client)]),
    updateClient: (client: Client) => update('clients', clientColumns, [client.id, ...clientValues(client)]),
  }
}

function keys(database: Database) {
  return {
    loadKeys: async (endedSinceMs: number) =>
      (
        await database.all(`SELECT ${keyColumns} FROM api_keys WHERE ended_ms IS NULL OR ended_ms >= ?`, [endedSinceMs])
      ).map(toKey),
    async loadSuccessions() {
      const rows = await database.all('SELECT id, succeeds, issued_by FROM api_keys WHERE succeeds IS NOT NULL')
      return new Map(
        rows.map((row): [string, Succession] => {
          return [String(row['id']), { succeeds: String(row['succeeds']), isClaimed: row['issued_by'] === 'client' }]
        }),
      )
    },
    async findKey(id: string) {
      const row = await database.get(`SELECT ${keyColumns} FROM api_keys WHERE id = ?`, [id])
      return row && toKey(row)
    },
    async listKeys({ client, state, after, limit }: ApiKeyFilter) {
      const conditions: Condition[] = [
        ['client = ?', client],
        ['state = ?', state],
        ['(created_ms, id) > (SELECT created_ms, id FROM api_keys WHERE id = ?)', after],
      ]
      return (await page(database, { table: 'api_keys', columns: keyColumns, conditions, limit })).map(toKey)
    },
    insertKey: (key: ApiKeyRecord) => insert('api_keys', keyColumns, keyValues(key)),
    updateKey: (key: ApiKeyRecord) => update('api_keys', keyColumns, keyValues(key)),
  }
}

function rotations(database: Database) {
  return {
    async findRotation(id: string) {
      const row = await database.get(`SELECT ${rotationColumns} FROM key_rotations WHERE id = ?`, [id])
      return row && toRotation(row)
    },
    async listRotations({ client, key, isRunning, after, limit }: RotationFilter) {
      const conditions: Condition[] = [
        ['client = ?', client],
        ['? IN (from_key, to_key)', key],
        ['ended_ms IS NULL AND 1 = ?', isRunning === true ? 1 : undefined],
        ['(created_ms, id) > (SELECT created_ms, id FROM key_rotations WHERE id = ?)', after],
      ]
      const rows = await page(database, { table: 'key_rotations', columns: rotationColumns, conditions, limit })
      return rows.map(toRotation)
    },
    insertRotation: (rotation: KeyRotation) => insert('key_rotations', rotationColumns, rotationValues(rotation)),
    updateRotation: (rotation: KeyRotation) => update('key_rotations', rotationColumns, rotationValues(rotation)),
  }
}

type Condition = readonly [sql: string, value: SqlValue | undefined]

interface Page {
  readonly table: string
  readonly columns: string
  /** Those without a value do not count. */
  readonly conditions: readonly Condition[]
  readonly limit: number
}

function page(database: Database, { table, columns, conditions, limit }: Page): Promise<Row[]> {
  const given = conditions.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]))
  const where = ['1 = 1', ...given.map(({ sql }) => sql)].join(' AND ')
  const sql = `SELECT ${columns} FROM ${table} WHERE ${where} ORDER BY created_ms, id LIMIT ?`
  return database.all(sql, [...given.map(({ value }) => value), limit])
}

/** The first column is the id. */
function insert(table: string, columns: string, values: readonly (SqlValue | undefined)[]): Statement {
  const places = values.map(() => '?').join(', ')
  return { sql: `INSERT INTO ${table} (${columns}) VALUES (${places})`, params: values.map((value) => value ?? null) }
}

function update(table: string, columns: string, [id, ...values]: readonly (SqlValue | undefined)[]): Statement {
  const [, ...names] = columns.split(',').map((name) => name.trim())
  const sets = names.map((name) => `${name} = ?`).join(', ')
  return {
    sql: `UPDATE ${table} SET ${sets} WHERE id = ?`,
    params: [...values, id].map((value) => value ?? null),
  }
}

function clientValues({ name, kind, owner, labels, participant, policies, createdMs, removedMs }: Client) {
  return [name, kind, owner, JSON.stringify(labels), participant, JSON.stringify(policies), createdMs, removedMs]
}

function keyValues(key: ApiKeyRecord): (SqlValue | undefined)[] {
  const { id, client, environment, use, verifier, issuedBy, createdMs } = key
  const { scope, networks, owner, labels, sequence, notBeforeMs, expiresMs } = key
  const { state, reason, enabledMs, endedMs, warnedMs } = key
  const terms = [JSON.stringify(scope), networks.join(' '), owner, JSON.stringify(labels), sequence ? 1 : 0]
  const life = [notBeforeMs, expiresMs, state, reason, enabledMs, endedMs, warnedMs]
  const line = [key.lineEndsMs, key.lifetimeDays, key.succeeds]
  return [id, client, environment, use, verifier, issuedBy, createdMs, ...terms, ...life, ...line]
}

function rotationValues(rotation: KeyRotation): (SqlValue | undefined)[] {
  const { id, client, from, createdMs, to, state, overlapFromMs, drainFromMs, sunsetMs } = rotation
  const { retire, quietSeconds, endedMs } = rotation
  return [id, client, from, createdMs, to, state, overlapFromMs, drainFromMs, sunsetMs, retire, quietSeconds, endedMs]
}

const textOf = (value: SqlValue | undefined) => (typeof value === 'string' ? value : undefined)
const numberOf = (value: SqlValue | undefined) => (typeof value === 'number' ? value : undefined)
const jsonOf = (value: SqlValue | undefined): unknown => JSON.parse(String(value))

function toClient(row: Row): Client {
  return {
    id: String(row['id']),
    name: String(row['name']),
    kind: String(row['kind']) as ClientKind,
    owner: textOf(row['owner']),
    labels: jsonOf(row['labels']) as Client['labels'],
    participant: textOf(row['participant']),
    policies: jsonOf(row['policies']) as ClientPolicies,
    createdMs: Number(row['created_ms']),
    removedMs: numberOf(row['removed_ms']),
  }
}

function toKey(row: Row): ApiKeyRecord {
  const networks = String(row['networks'])
  return {
    id: String(row['id']),
    client: String(row['client']),
    environment: String(row['environment']) as Environment,
    use: String(row['used_as']) as KeyUse,
    verifier: row['verifier'] as Uint8Array,
    issuedBy: String(row['issued_by']) as ChangedBy,
    createdMs: Number(row['created_ms']),
    scope: jsonOf(row['scope']) as KeyScope,
    networks: networks === '' ? [] : networks.split(' '),
    owner: textOf(row['owner']),
    labels: jsonOf(row['labels']) as ApiKeyRecord['labels'],
    sequence: row['sequence'] === 1,
    notBeforeMs: numberOf(row['not_before_ms']),
    expiresMs: numberOf(row['expires_ms']),
    state: String(row['state']) as KeyState,
    reason: textOf(row['reason']),
    enabledMs: numberOf(row['enabled_ms']),
    endedMs: numberOf(row['ended_ms']),
    warnedMs: numberOf(row['warned_ms']),
    lineEndsMs: numberOf(row['line_ends_ms']),
    lifetimeDays: numberOf(row['lifetime_days']),
    succeeds: textOf(row['succeeds']),
  }
}

function toRotation(row: Row): KeyRotation {
  return {
    id: String(row['id']),
    client: String(row['client']),
    from: String(row['from_key']),
    createdMs: Number(row['created_ms']),
    to: textOf(row['to_key']),
    state: String(row['state']) as RotationState,
    overlapFromMs: Number(row['overlap_from_ms']),
    drainFromMs: Number(row['drain_from_ms']),
    sunsetMs: Number(row['sunset_ms']),
    retire: String(row['retire']) as Retirement,
    quietSeconds: Number(row['quiet_seconds']),
    endedMs: numberOf(row['ended_ms']),
  }
}
