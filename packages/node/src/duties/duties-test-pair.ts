/** Two participants with duties for tests, each on real tables with a real vault: one imposes, the other owes. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { SigningKey } from '@comity/core/crypto/crypto'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '@comity/core/crypto/crypto-node'
import type { DutyKind } from '@comity/core/duties/duty-receipt'
import { Problem } from '@comity/core/problems'
import type { Database, Statement } from '../storage/database.ts'
import { openSqlite } from '../storage/sqlite.ts'
import { openVault } from '../vault/open-vault.ts'
import { vaultSchema } from '../vault/vault-schema.ts'
import { createDuties } from './duties.ts'
import { dutiesByPersonSchema, dutiesSchema, sealedDutiesSchema } from './duties-schema.ts'
import { createDutyStore } from './duty-store-sql.ts'
import { handleOfDuties } from './sealed-duties.ts'

export interface Told {
  readonly recipient: string
  readonly type: string
  readonly payload: Readonly<Record<string, unknown>>
}

const nothing: Statement = { sql: 'SELECT 1' }
/** Since when a key is out of use, by its id. */
export const retired = new Map<string, number>()
export const clock = { nowMs: 1_000_000, now: () => clock.nowMs }

/** A participant's duties on a database of its own; what it would tell others is kept in `told`. */
async function participant(did: string, keys: Map<string, SigningKey>) {
  const database = await openSqlite(':memory:')
  await database.execute(
    [...vaultSchema, ...dutiesSchema, ...sealedDutiesSchema, ...dutiesByPersonSchema].map((sql) => ({ sql })),
  )
  const vault = await openVault({ database, secret: randomBytes(32), randomBytes, clock })
  const keyid = `${did}#key-1`
  keys.set(keyid, importSigningKey(generatePrivateJwk('ed25519')))
  const told: Told[] = []
  const hooks: { type: string; payload: Readonly<Record<string, unknown>> }[] = []
  const overdue: string[] = []
  const logged: string[] = []
  const erased: string[] = []
  let count = 0
  const duties = createDuties({
    did,
    store: createDutyStore(database),
    vault,
    ownKey: await vault.open(handleOfDuties(vault)),
    clock,
    skewSeconds: 30,
    newId: () => `${did}-${(count += 1)}`,
    assertionKey: () => ({ keyid, key: keys.get(keyid) as SigningKey }),
    resolveKey: async (id, _, atMs = clock.now()) => {
      const key = keys.get(id)
      if (key === undefined || atMs >= (retired.get(id) ?? Number.POSITIVE_INFINITY))
        throw new Problem('key-unknown', 'no such key')
      return importVerifyingKey(key.publicJwk)
    },
    outbox: { statement: (event) => (told.push(event), nothing), wake: () => undefined },
    webhooks: { statement: (event) => (hooks.push(event), []), wake: () => undefined },
    record: async ({ body }, effects) => (logged.push(body), database.execute(effects)),
    database,
    eraseSubject: async ({ subject }) => void erased.push(subject),
    onOverdue: ({ id }) => void overdue.push(id),
  })
  return {
    did,
    keyid,
    database,
    vault,
    duties,
    told,
    hooks,
    overdue,
    logged,
    erased,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

/** A duty that one imposed and told; `take` is what the other makes of the event. */
export async function pair(kind: DutyKind = 'delete') {
  const keys = new Map<string, SigningKey>()
  const holder = await participant('did:web:holder.example', keys)
  const debtor = await participant('did:web:debtor.example', keys)
  await holder.database.execute(
    holder.duties.impose({
      kind,
      consent: 'urn:uuid:1',
      subjectPairwise: 'ps_of-the-athlete',
      subject: holder.vault.handleOf('athlete-1'),
      debtor: debtor.did,
      dueMs: 2_000_000,
    }),
  )
  const [imposed] = holder.told
  assert.ok(imposed)
  const take = () => debtor.duties.handleImposed({ issuer: holder.did, payload: imposed.payload })
  return {
    keys,
    holder,
    debtor,
    imposed,
    take,
    async [Symbol.asyncDispose]() {
      await holder[Symbol.asyncDispose]()
      await debtor[Symbol.asyncDispose]()
    },
  }
}

/** All that is kept of duties, as text. */
export async function keptIn({ database }: { readonly database: Database }): Promise<string> {
  return JSON.stringify(await database.all('SELECT * FROM duties'))
}
