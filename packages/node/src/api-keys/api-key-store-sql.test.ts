import { openSqlite } from '../storage/sqlite.ts'
import { apiKeyStoreContract } from './api-key-store-contract.ts'
import { createApiKeyStore } from './api-key-store-sql.ts'
import { apiKeysSchema } from './api-keys-schema.ts'
import { createKeyUseStore } from './key-use-store-sql.ts'

apiKeyStoreContract(async () => {
  const database = await openSqlite(':memory:')
  await database.execute(apiKeysSchema.map((sql) => ({ sql })))
  return {
    database,
    store: createApiKeyStore(database),
    uses: createKeyUseStore(database),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
})
