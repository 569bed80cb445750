import { randomBytes } from 'node:crypto'
import { migrate } from '../../storage/migrations.ts'
import { openSqlite } from '../../storage/sqlite.ts'
import { openVault } from '../../vault/open-vault.ts'
import { vaultSchema } from '../../vault/vault-schema.ts'
import { decisionStoreContract } from './decision-store-contract.ts'
import { createDecisionStore } from './decision-store-sql.ts'
import { policiesSchema } from '../policies-schema.ts'

const clock = { now: () => 0 }

decisionStoreContract(async (work) => {
  await using database = await openSqlite(':memory:')
  await migrate(database, [{ name: '0001-all', statements: [...vaultSchema, ...policiesSchema] }], clock)
  await using vault = await openVault({ database, secret: new Uint8Array(32), randomBytes, clock })
  await work({
    store: createDecisionStore(database, vault),
    execute: (statements) => database.execute(statements),
    keyOf: (reference) => vault.open(vault.handleOf(reference)),
    async erase(reference) {
      const handle = vault.handleOf(reference)
      await database.execute(vault.destroy(handle, 1))
      await vault.forget(handle)
    },
    dump: async () => JSON.stringify(await database.all('SELECT * FROM policy_decisions')),
  })
})
