import { openSqlite } from '../storage/sqlite.ts'
import { replicaStoreContract } from './replica-store-contract.ts'
import { createReplicaStore } from './replica-store-sql.ts'
import { replicasSchema } from './replicas-schema.ts'

replicaStoreContract(async () => {
  const database = await openSqlite(':memory:')
  await database.execute(replicasSchema.map((sql) => ({ sql })))
  return { database, store: createReplicaStore(database), [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
})
