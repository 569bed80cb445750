import { describe } from 'node:test'
import { openSqlite } from '../storage/sqlite.ts'
import { limitsSchema } from './limits-schema.ts'
import { createQuotaStore } from './quota-ledger.ts'
import { testQuotaStore } from './quota-store-contract.ts'

async function open() {
  const database = await openSqlite(':memory:')
  await database.execute(limitsSchema.map((sql) => ({ sql })))
  return {
    store: createQuotaStore(database),
    write: (statements: Parameters<typeof database.execute>[0]) => database.execute(statements),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

describe('the store of quotas on SQLite', () => testQuotaStore(open))
