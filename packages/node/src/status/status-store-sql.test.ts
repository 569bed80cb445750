import { describe } from 'node:test'
import { openSqlite } from '../storage/sqlite.ts'
import { statusMigrations } from './status-schema.ts'
import { statusStoreContract } from './status-store-contract.ts'
import { createStatusStore } from './status-store-sql.ts'

describe('the status store on SQLite', () =>
  statusStoreContract(async () => {
    const database = await openSqlite(':memory:')
    await database.execute(statusMigrations.map((sql) => ({ sql })))
    return { database, store: createStatusStore(database) }
  }))
