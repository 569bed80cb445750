/** The database on SQLite (`node:sqlite`): one file in WAL mode, one connection, every commit on disk before it is
 *  acknowledged. Statements are prepared once per SQL text. */
import { closeSync, openSync, statSync } from 'node:fs'
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { Problem } from '@comity/core/problems'
import type { Database, Row, SqlValue, Statement, Transaction } from './database.ts'
import { storageProblem } from './sqlite-errors.ts'

export interface SqliteOptions {
  /** How long a statement waits for a lock that another process holds; 1,000 unless told. */
  readonly busyTimeoutMs?: number
}

/** More distinct SQL texts than the node has; beyond it the oldest is prepared again. */
const preparedLimit = 500

/** Opens, or creates readable by its owner only, the database at `path` (`:memory:` for one that dies with the
 *  process). Throws `storage-failed` when the file cannot be opened, is no database, or cannot be written. */
export async function openSqlite(path: string, options: SqliteOptions = {}): Promise<Database> {
  try {
    if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600))
  } catch (cause) {
    throw new Problem('storage-failed', `the database \`${path}\` cannot be opened for writing`, { cause })
  }
  let connection: DatabaseSync | undefined
  try {
    connection = new DatabaseSync(path, { timeout: options.busyTimeoutMs ?? 1_000, enableForeignKeyConstraints: true })
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY')
    // What is deleted is gone from the file, not only from its index: erasing a person destroys a key.
    connection.exec('PRAGMA secure_delete = ON')
    return new SqliteDatabase(connection, path === ':memory:' ? [] : [path, `${path}-wal`])
  } catch (error) {
    connection?.close()
    throw storageProblem(error)
  }
}

/** INVARIANT: outside `transaction` nothing awaits between BEGIN and COMMIT, so `#transaction` alone tells whether
 *  the connection is free. */
class SqliteDatabase implements Database {
  readonly #connection: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()
  /** Inode by path, once it was seen. */
  readonly #files = new Map<string, number | undefined>()
  /** Settles when the open transaction ends; undefined when there is none. */
  #transaction: Promise<void> | undefined

  constructor(connection: DatabaseSync, files: readonly string[]) {
    this.#connection = connection
    for (const path of files) this.#files.set(path, undefined)
  }

  async all<R extends Row = Row>(sql: string, params: readonly SqlValue[] = []): Promise<R[]> {
    while (this.#transaction !== undefined) await this.#transaction
    return this.#rows<R>(sql, params)
  }

  async get<R extends Row = Row>(sql: string, params: readonly SqlValue[] = []): Promise<R | undefined> {
    while (this.#transaction !== undefined) await this.#transaction
    return this.#row<R>(sql, params)
  }

  async execute(statements: readonly Statement[]): Promise<number[]> {
    while (this.#transaction !== undefined) await this.#transaction
    if (statements.length === 0) return []
    this.#run('BEGIN IMMEDIATE')
    try {
      const changes = statements.map(({ sql, params }) => this.#run(sql, params))
      this.#commit()
      return changes
    } catch (error) {
      this.#rollback()
      throw error
    }
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    while (this.#transaction !== undefined) await this.#transaction
    const ended = Promise.withResolvers<void>()
    this.#transaction = ended.promise
    try {
      return await this.#transact(work)
    } finally {
      this.#transaction = undefined
      ended.resolve()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#transaction !== undefined) await this.#transaction
    if (this.#connection.isOpen) this.#connection.close()
  }

  async #transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    this.#run('BEGIN IMMEDIATE')
    let open = true
    const whileOpen = <A>(step: () => A): A => {
      if (!open) throw new Error('the transaction has ended')
      return step()
    }
    try {
      const result = await work({
        all: async <R extends Row>(sql: string, params: readonly SqlValue[] = []) =>
          whileOpen(() => this.#rows<R>(sql, params)),
        get: async <R extends Row>(sql: string, params: readonly SqlValue[] = []) =>
          whileOpen(() => this.#row<R>(sql, params)),
        run: async (sql, params = []) => whileOpen(() => this.#run(sql, params)),
      })
      this.#commit()
      return result
    } catch (error) {
      this.#rollback()
      throw error
    } finally {
      open = false
    }
  }

  #rows<R extends Row>(sql: string, params: readonly SqlValue[]): R[] {
    try {
      return this.#statement(sql).all(...params) as Record<string, SQLOutputValue>[] as R[]
    } catch (error) {
      throw storageProblem(error)
    }
  }

  #row<R extends Row>(sql: string, params: readonly SqlValue[]): R | undefined {
    try {
      return this.#statement(sql).get(...params) as R | undefined
    } catch (error) {
      throw storageProblem(error)
    }
  }

  #run(sql: string, params: readonly SqlValue[] = []): number {
    try {
      return Number(this.#statement(sql).run(...params).changes)
    } catch (error) {
      throw storageProblem(error)
    }
  }

  /** The system lets a process write on to files that were deleted or replaced under it: nothing of that would last. */
  #commit(): void {
    for (const [path, known] of this.#files) {
      const inode = statSync(path, { throwIfNoEntry: false })?.ino
      if (inode === undefined || (known !== undefined && known !== inode))
        throw new Problem('storage-failed', `\`${path}\` was deleted or replaced while the node runs`)
      this.#files.set(path, inode)
    }
    this.#run('COMMIT')
  }

  /** SQLite ends a transaction by itself when the disk is full or fails, so ending it again may be too much. */
  #rollback(): void {
    if (this.#connection.isOpen && this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
  }

  #statement(sql: string): StatementSync {
    if (!this.#connection.isOpen) throw new Problem('storage-failed', 'the database is closed')
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const statement = this.#connection.prepare(sql)
    if (this.#prepared.size >= preparedLimit) {
      const [oldest] = this.#prepared.keys()
      if (oldest !== undefined) this.#prepared.delete(oldest)
    }
    this.#prepared.set(sql, statement)
    return statement
  }
}
