import { describe } from 'node:test'
import { openSqlite } from '../storage/sqlite.ts'
import { eventStoreContract } from './event-store-contract.ts'
import { createEventStore } from './event-store-sql.ts'
import { eventsMigrations } from './events-schema.ts'

describe('the event store on SQLite', () =>
  eventStoreContract(async () => {
    const database = await openSqlite(':memory:')
    await database.execute(eventsMigrations.map((sql) => ({ sql })))
    return { database, store: createEventStore(database) }
  }))
