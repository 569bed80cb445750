import { describe } from 'node:test'
import { openSqlite } from '../storage/sqlite.ts'
import { peopleSchema } from './people-schema.ts'
import { peopleStoreContract } from './people-store-contract.ts'
import { createPeopleStore } from './people-store-sql.ts'

describe('the store of the people’s pages on SQLite', () =>
  peopleStoreContract(async () => {
    const database = await openSqlite(':memory:')
    await database.execute(peopleSchema.map((sql) => ({ sql })))
    return { database, store: createPeopleStore(database) }
  }))
