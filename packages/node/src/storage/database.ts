/** The door to the database: portable SQL in, plain rows out. SQLite today, PostgreSQL later, behind the same
 *  four methods; every store of the node is written against this interface only. */

/** What a column may hold. Integers are JavaScript safe integers; bytes are BLOB/BYTEA. */
export type SqlValue = string | number | Uint8Array | null

/** One statement with `?` placeholders, in the SQL that SQLite ≥ 3.35 and PostgreSQL ≥ 14 share
 *  (`INSERT … ON CONFLICT`, `RETURNING`; no AUTOINCREMENT, no dialect functions). */
export interface Statement {
  readonly sql: string
  readonly params?: readonly SqlValue[]
}

export type Row = Readonly<Record<string, SqlValue>>

export interface Database extends AsyncDisposable {
  /** Rows of a query. */
  all<R extends Row = Row>(sql: string, params?: readonly SqlValue[]): Promise<R[]>
  /** First row of a query, or undefined. */
  get<R extends Row = Row>(sql: string, params?: readonly SqlValue[]): Promise<R | undefined>
  /** Runs the statements in one transaction; on return they are durable (fsync). All or nothing.
   *  Throws `storage-failed` when the disk is full, read-only or gone; then nothing was written.
   *  Gives the number of changed rows of each statement, in order. */
  execute(statements: readonly Statement[]): Promise<number[]>
  /** Reads and writes in one exclusive transaction: `work` sees a consistent state and its writes are durable
   *  when the promise resolves; a throw rolls back. Transactions never interleave. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
}

/** The inside of a transaction. */
export interface Transaction {
  all<R extends Row = Row>(sql: string, params?: readonly SqlValue[]): Promise<R[]>
  get<R extends Row = Row>(sql: string, params?: readonly SqlValue[]): Promise<R | undefined>
  run(sql: string, params?: readonly SqlValue[]): Promise<number>
}
