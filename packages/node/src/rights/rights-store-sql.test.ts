import { openSqlite } from '../storage/sqlite.ts'
import { rightsSchema } from './rights-schema.ts'
import { rightsStoreContract } from './rights-store-contract.ts'
import { createRightsStore } from './rights-store-sql.ts'

rightsStoreContract(async () => {
  const database = await openSqlite(':memory:')
  await database.execute(rightsSchema.map((sql) => ({ sql })))
  return { database, store: createRightsStore(database) }
})
