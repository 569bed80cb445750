import { migrate } from '../storage/migrations.ts'
import { openSqlite } from '../storage/sqlite.ts'
import { partnerStoreContract } from './partner-store-contract.ts'
import { createSqlPartnerStore } from './partner-store-sql.ts'
import { partnerCountrySchema, partnerSealingMigrations, partnersSchema } from './partners-schema.ts'

partnerStoreContract(async (work) => {
  await using database = await openSqlite(':memory:')
  await migrate(
    database,
    [{ name: '0001-partners', statements: [...partnersSchema, ...partnerCountrySchema, ...partnerSealingMigrations] }],
    {
      now: () => 0,
    },
  )
  await work(createSqlPartnerStore(database))
})
