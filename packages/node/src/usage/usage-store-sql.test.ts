import { openSqlite } from '../storage/sqlite.ts'
import { usageSchema } from './usage-schema.ts'
import { usageStoreContract } from './usage-store-contract.ts'
import { createUsageStore } from './usage-store-sql.ts'

usageStoreContract(async () => {
  const database = await openSqlite(':memory:')
  await database.execute(usageSchema.map((sql) => ({ sql })))
  return { store: createUsageStore(database), [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
})
