/** API keys on a database of their own, for tests: a clock that stands still, randomness from the system, a log that is a
 *  table in the same database. */
import { randomBytes } from 'node:crypto'
import type { Problem, ProblemCode } from '@comity/core/problems'
import type { Database, Statement } from '../storage/database.ts'
import { openSqlite } from '../storage/sqlite.ts'
import type { KeyNotice } from './api-key-ports.ts'
import { keyRequestSchema } from './api-key-record.ts'
import { createApiKeyStore } from './api-key-store-sql.ts'
import { openApiKeys, type ApiKeys } from './api-keys.ts'
import { apiKeysSchema, keyLinesMigrations } from './api-keys-schema.ts'
import { clientRequestSchema } from './client.ts'
import { createKeyHashes, type KeyHashes } from './key-hashes.ts'
import { createKeyUseStore } from './key-use-store-sql.ts'

export const dayMs = 86_400_000
export const hourMs = 3_600_000
export const startMs = Date.UTC(2026, 0, 5)
export const office = '192.0.2.17'
export const here = { address: office, environment: 'live' } as const

const peppers = { pepper: Buffer.alloc(32, 1), macPepper: Buffer.alloc(32, 2), claimPepper: Buffer.alloc(32, 3) }

export interface TestKeys extends AsyncDisposable {
  apiKeys: ApiKeys
  readonly database: Database
  readonly clock: { nowMs: number }
  readonly notices: KeyNotice[]
  readonly errors: unknown[]
  /** Bodies of the log. */
  readonly log: () => Promise<Record<string, unknown>[]>
  /** Thrown by the next write of a change. */
  failure: unknown
  /** Waited for before each write of a change. */
  beforeWrite: () => unknown
  /** Aliases and DIDs; all of one partner. */
  readonly partners: Set<string>
  /** Opens the keys again, as a node does that starts. */
  restart(): Promise<void>
  /** How the key is answered: the client's id, or the code of the problem. */
  ask(key: string, at?: { address: string; environment: 'live' | 'test' }): string
  issue(request?: object, client?: string): Promise<{ id: string; text: string }>
  addClient(client?: object): Promise<void>
}

export async function openTestKeys(options: { path?: string; hashes?: (real: KeyHashes) => KeyHashes } = {}) {
  const database = await openSqlite(options.path ?? ':memory:')
  const migrations = [...apiKeysSchema, ...keyLinesMigrations, 'CREATE TABLE log (id TEXT PRIMARY KEY, body TEXT)']
  await database.execute(migrations.map((sql) => ({ sql })))
  return new OpenedKeys(database, options.hashes).opened()
}

class OpenedKeys implements TestKeys {
  readonly database: Database
  readonly clock = { nowMs: startMs }
  readonly notices: KeyNotice[] = []
  readonly errors: unknown[] = []
  readonly #hashes: KeyHashes
  #ids = 0
  failure: unknown
  beforeWrite: () => unknown = () => undefined
  readonly partners = new Set(['lab', 'did:web:lab.example'])
  apiKeys!: ApiKeys

  constructor(database: Database, hashes: (real: KeyHashes) => KeyHashes = (real) => real) {
    this.database = database
    this.#hashes = hashes(createKeyHashes(peppers))
  }

  async opened(): Promise<this> {
    await this.restart()
    return this
  }

  async restart(): Promise<void> {
    const { database, notices, errors, clock } = this
    this.apiKeys = await openApiKeys({
      clock: { now: () => clock.nowMs },
      randomBytes: (length) => new Uint8Array(randomBytes(length)),
      newId: () => `id-${String(this.#ids++).padStart(6, '0')}`,
      hashes: this.#hashes,
      store: createApiKeyStore(database),
      uses: createKeyUseStore(database),
      environment: 'live',
      record: (event, statements) => this.#record(event, statements),
      webhooks: { statement: () => [], endWith: (_client, remove) => remove([]), wake: () => undefined },
      findPartner: (aliasOrDid) => (this.partners.has(aliasOrDid) ? { did: 'did:web:lab.example' } : undefined),
      onNotice: (notice) => notices.push(notice),
      onError: (error) => errors.push(error),
    })
  }

  async #record({ id, body }: { id: string; body: string }, statements: readonly Statement[]): Promise<void> {
    await this.beforeWrite()
    const failing = this.failure
    this.failure = undefined
    const entry = { sql: 'INSERT INTO log (id, body) VALUES (?, ?)', params: [id, body] }
    // Like a crash in the middle of the transaction: nothing of it is there.
    const broken =
      failing === undefined ? [] : [{ sql: 'INSERT INTO log (id, body) VALUES (?, ?)', params: [id, body] }]
    await this.database.execute([entry, ...statements, ...broken]).catch((error: unknown) => {
      throw failing ?? error
    })
  }

  async log(): Promise<Record<string, unknown>[]> {
    const rows = await this.database.all('SELECT body FROM log ORDER BY rowid')
    return rows.map(({ body }) => JSON.parse(String(body)) as Record<string, unknown>)
  }

  ask(key: string, at: { address: string; environment: 'live' | 'test' } = here): string {
    try {
      return this.apiKeys.judge.authenticate(key, at, this.clock.nowMs).client
    } catch (error) {
      return (error as Problem).code satisfies ProblemCode
    }
  }

  async issue(request: object = {}, client = 'billing'): Promise<{ id: string; text: string }> {
    const { record, text } = await this.apiKeys.keys.issue(client, keyRequestSchema.parse(request))
    return { id: record.id, text }
  }

  async addClient(client: object = {}): Promise<void> {
    await this.apiKeys.clients.add(clientRequestSchema.parse({ id: 'billing', ...client }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.apiKeys[Symbol.asyncDispose]()
    await this.database[Symbol.asyncDispose]()
  }
}
