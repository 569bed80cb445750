import { describe } from 'node:test'
import { openSqlite } from '../../storage/sqlite.ts'
import { delegationEndSchema, heldConsentsMigrations } from './held-schema.ts'
import { heldStoreContract } from './held-store-contract.ts'
import { createHeldStore } from './held-store-sql.ts'

describe('the store of held consents on SQLite', () =>
  heldStoreContract(async () => {
    const database = await openSqlite(':memory:')
    await database.execute([...heldConsentsMigrations, ...delegationEndSchema].map((sql) => ({ sql })))
    return { database, store: createHeldStore(database) }
  }))
