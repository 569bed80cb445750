import { migrate } from '../../storage/migrations.ts'
import { openSqlite } from '../../storage/sqlite.ts'
import { policiesSchema } from '../policies-schema.ts'
import { policySetStoreContract } from './policy-set-store-contract.ts'
import { createPolicySetStore } from './policy-set-store-sql.ts'

policySetStoreContract(async (work) => {
  await using database = await openSqlite(':memory:')
  await migrate(database, [{ name: '0001-policies', statements: policiesSchema }], { now: () => 0 })
  await work({ store: createPolicySetStore(database), execute: (statements) => database.execute(statements) })
})
