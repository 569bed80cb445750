/** Brings a database to the shape that this version of the code knows. Migrations only go forward, each in one
 *  transaction with the note that it was done; one that has been applied anywhere is never edited again. */
import { createHash } from 'node:crypto'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { Database, Statement } from './database.ts'

/** One step. `name` begins with its place in the list, four digits: `0003-agreements`. Tables are written as SQLite's
 *  `STRICT` tables of INTEGER, REAL, TEXT and BLOB columns, which map one to one onto PostgreSQL's BIGINT, DOUBLE
 *  PRECISION, TEXT and BYTEA. */
export interface Migration {
  readonly name: string
  readonly statements: readonly string[]
}

interface AppliedMigration {
  readonly [column: string]: string | number
  readonly position: number
  readonly name: string
  readonly checksum: string
}

const createTable = `CREATE TABLE IF NOT EXISTS schema_migrations (
  position INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  checksum TEXT NOT NULL,
  applied_at_ms INTEGER NOT NULL
) STRICT`

/** Applies what is missing, in order. Throws `schema-mismatch` when the database was made by a newer version, or
 *  when an applied migration reads differently now; nothing is changed then. Gives the names that were applied. */
export async function migrate(database: Database, migrations: readonly Migration[], clock: Clock): Promise<string[]> {
  await database.execute([{ sql: createTable }])
  const applied = await database.all<AppliedMigration>(
    'SELECT position, name, checksum FROM schema_migrations ORDER BY position',
  )
  checkApplied(applied, migrations)
  const missing = migrations.slice(applied.length)
  for (const [offset, migration] of missing.entries()) {
    const note: Statement = {
      sql: 'INSERT INTO schema_migrations (position, name, checksum, applied_at_ms) VALUES (?, ?, ?, ?)',
      params: [applied.length + offset + 1, migration.name, migrationChecksum(migration), clock.now()],
    }
    await database.execute([...migration.statements.map((sql) => ({ sql })), note])
  }
  return missing.map(({ name }) => name)
}

/** Hexadecimal SHA-256 over the name and the statements; white space between words does not count. */
export function migrationChecksum({ name, statements }: Migration): string {
  const hash = createHash('sha256').update(name)
  for (const statement of statements) hash.update('\0').update(statement.trim().replace(/\s+/g, ' '))
  return hash.digest('hex')
}

function checkApplied(applied: readonly AppliedMigration[], migrations: readonly Migration[]): void {
  for (const [index, { name, checksum }] of applied.entries()) {
    const migration = migrations[index]
    if (migration === undefined) {
      throw new Problem('schema-mismatch', `the database has migration \`${name}\`, which this version does not know`)
    }
    if (migration.name !== name || migrationChecksum(migration) !== checksum) {
      throw new Problem('schema-mismatch', `migration \`${name}\` differs from the one that was applied`)
    }
  }
}
