import { migrate } from '../../storage/migrations.ts'
import { openSqlite } from '../../storage/sqlite.ts'
import { policiesSchema } from '../policies-schema.ts'
import { relationshipStoreContract } from './relationship-store-contract.ts'
import { createRelationshipStore } from './relationship-store-sql.ts'

relationshipStoreContract(async (work) => {
  await using database = await openSqlite(':memory:')
  await migrate(database, [{ name: '0001-policies', statements: policiesSchema }], { now: () => 0 })
  await work({ store: createRelationshipStore(database), execute: (statements) => database.execute(statements) })
})
