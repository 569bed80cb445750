/** For tests: the status lists of a made-up participant on a database of its own, with a clock that tests turn. */
import { randomBytes } from 'node:crypto'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { openSqlite } from '../storage/sqlite.ts'
import { createStatusLists } from './status-lists.ts'
import { statusMigrations } from './status-schema.ts'
import { createStatusStore } from './status-store-sql.ts'

export const startMs = 1_718_000_000_000

function newKey(keyid: string) {
  const key = importSigningKey(generatePrivateJwk('ed25519'))
  return { keyid, key, verifyingKey: importVerifyingKey(key.publicJwk) }
}

export async function openTestLists(host = 'lab.example') {
  const did = `did:web:${host}`
  const database = await openSqlite(':memory:')
  await database.execute(statusMigrations.map((sql) => ({ sql })))
  const world = { nowMs: startMs, key: newKey(`${did}#key-1`) }
  const store = createStatusStore(database)
  const open = () =>
    createStatusLists({
      store,
      baseUrl: () => `https://${host}`,
      assertionKey: () => world.key,
      clock: { now: () => world.nowMs },
      randomBytes,
    })
  return {
    did,
    database,
    store,
    world,
    lists: open(),
    /** Another set of lists on the same database, as after a restart. */
    reopen: open,
    rotateKey: () => {
      world.key = newKey(`${did}#key-2`)
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}
