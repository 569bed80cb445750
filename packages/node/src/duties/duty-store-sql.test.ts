import { openSqlite } from '../storage/sqlite.ts'
import { dutiesByPersonSchema, dutiesSchema, sealedDutiesSchema } from './duties-schema.ts'
import { dutyStoreContract } from './duty-store-contract.ts'
import { createDutyStore } from './duty-store-sql.ts'

dutyStoreContract(async () => {
  const database = await openSqlite(':memory:')
  await database.execute([...dutiesSchema, ...sealedDutiesSchema, ...dutiesByPersonSchema].map((sql) => ({ sql })))
  return { database, store: createDutyStore(database) }
})
