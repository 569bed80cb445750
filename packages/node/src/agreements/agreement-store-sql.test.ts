import { describe } from 'node:test'
import { openSqlite } from '../storage/sqlite.ts'
import { agreementStoreContract } from './agreement-store-contract.ts'
import { createAgreementStore } from './agreement-store-sql.ts'
import { agreementsMigrations } from './agreements-schema.ts'

describe('the agreement store on SQLite', () =>
  agreementStoreContract(async () => {
    const database = await openSqlite(':memory:')
    await database.execute(agreementsMigrations.map((sql) => ({ sql })))
    return { database, store: createAgreementStore(database) }
  }))
