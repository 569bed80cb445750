import { openSqlite } from '../storage/sqlite.ts'
import { productStoreContract } from './product-store-contract.ts'
import { createSqlProductStore } from './product-store-sql.ts'
import { productsSchema } from './products-schema.ts'

productStoreContract(async () => {
  const database = await openSqlite(':memory:')
  await database.execute(productsSchema.map((sql) => ({ sql })))
  return createSqlProductStore(database)
})
