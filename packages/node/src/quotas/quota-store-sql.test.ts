import { openSqlite } from '../storage/sqlite.ts'
import { quotaStoreContract } from './quota-store-contract.ts'
import { createQuotaStore } from './quota-store-sql.ts'
import { quotasSchema } from './quotas-schema.ts'

quotaStoreContract(async () => {
  const database = await openSqlite(':memory:')
  await database.execute(quotasSchema.map((sql) => ({ sql })))
  return { database, store: createQuotaStore(database), [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
})
