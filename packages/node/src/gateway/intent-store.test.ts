import { randomBytes } from 'node:crypto'
import { openSqlite } from '../storage/sqlite.ts'
import { openVault } from '../vault/open-vault.ts'
import { vaultSchema } from '../vault/vault-schema.ts'
import { exchangeSchema, sealedExchangesSchema } from './exchange-schema.ts'
import { createIntentStore } from './intent-store.ts'
import { intentStoreContract } from './intent-store-contract.ts'

intentStoreContract(async () => {
  const stack = new AsyncDisposableStack()
  const database = stack.use(await openSqlite(':memory:'))
  await database.execute([...vaultSchema, ...exchangeSchema, ...sealedExchangesSchema].map((sql) => ({ sql })))
  const clock = { now: () => 1_800_000_000_000 }
  const vault = stack.use(await openVault({ database, secret: new Uint8Array(32), randomBytes, clock }))
  const store = createIntentStore(database, vault)
  return { store, database, vault, [Symbol.asyncDispose]: () => stack.disposeAsync() }
})
