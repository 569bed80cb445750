import { describe } from 'node:test'
import { openSqlite } from '../storage/sqlite.ts'
import { webhookStoreContract } from './webhook-store-contract.ts'
import { createWebhookStore } from './webhook-store-sql.ts'
import { deadLettersSchema, webhooksSchema } from './webhooks-schema.ts'

describe('the store of webhooks on SQLite', () =>
  webhookStoreContract(async () => {
    const database = await openSqlite(':memory:')
    await database.execute([...webhooksSchema, ...deadLettersSchema].map((sql) => ({ sql })))
    return { database, store: createWebhookStore(database) }
  }))
