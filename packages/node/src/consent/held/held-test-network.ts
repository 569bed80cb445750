/** Recipients and delegates for tests, each on real tables with a real vault; what goes over the wire is handed from one
 *  to the other, and what is told waits until the test delivers it. */
import { randomBytes } from 'node:crypto'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '@comity/core/crypto/crypto-node'
import type { ConsentGrant } from '@comity/core/consent/consent-record'
import type { PublicJwk, SigningKey } from '@comity/core/crypto/crypto'
import { consentChanged, consentDelegated, delegationEnded } from '@comity/core/events/event-types'
import { Problem } from '@comity/core/problems'
import type { SignedCaller } from '../../http/signed-call.ts'
import type { Database } from '../../storage/database.ts'
import { openSqlite } from '../../storage/sqlite.ts'
import { openVault } from '../../vault/open-vault.ts'
import { vaultSchema } from '../../vault/vault-schema.ts'
import type { SubjectVault } from '../../vault/vault.ts'
import { createHeldAttach } from './held-attach.ts'
import { createHeldConsents } from './held-consents.ts'
import { createHeldDelegations } from './held-delegations.ts'
import { createHeldEvents } from './held-events.ts'
import type { HeldParts } from './held-parts.ts'
import { delegationEndSchema, heldConsentsMigrations } from './held-schema.ts'
import { createConsentSource } from './held-source.ts'
import { createHeldStore } from './held-store-sql.ts'
import { TestHolder, type WireAnswer, type WireRequest } from './held-test-holder.ts'
import { createTokenKeeper } from './held-token-keeper.ts'

const testTables = [
  'CREATE TABLE told (place INTEGER PRIMARY KEY, recipient TEXT, type TEXT, payload TEXT, taken INTEGER) STRICT',
  'CREATE TABLE webhooks (place INTEGER PRIMARY KEY, payload TEXT) STRICT',
  'CREATE TABLE logged (place INTEGER PRIMARY KEY, type TEXT, body TEXT) STRICT',
]

export const holderDid = 'did:web:holder.example'

/** A grant of height and year of birth, one more of weight. */
export const testGrants = (onward?: ConsentGrant['onward']): ConsentGrant[] => [
  {
    grant: 'g1',
    effect: 'permit',
    purposes: ['https://w3id.org/dpv#ResearchAndDevelopment'],
    actions: ['read'],
    products: ['athletes'],
    domains: ['sport'],
    fields: { include: ['height', 'birthYear'] },
    ...(onward === undefined ? {} : { onward }),
  },
]

export const askBody = (reference = '736041664') => ({
  subject: { reference, type: 'person' },
  kind: 'personal',
  grants: testGrants(),
  notice: { version: '1', text: { en: 'May we?' } },
  duration: 'P30D',
  recipient: { name: 'Lab' },
})

/** A pairwise id. */
export const pairwiseOf = (letter: string): string => `ps_${letter.repeat(43)}`

/** The holder and whoever is asked for by `participant`. */
export function createTestNetwork() {
  const clock = { nowMs: Date.parse('2026-03-01T10:00:00Z'), now: () => clock.nowMs }
  let count = 0
  const newId = () => `019cab00-0000-7000-8000-${String(++count).padStart(12, '0')}`
  const holder = new TestHolder({ did: holderDid, clock, newId })
  const answers = new Map<string, WireAnswer>([[holderDid, holder.answer]])
  /** Of every participant by its key id. */
  const keys = new Map<string, SigningKey>([[holder.signer.keyid, holder.signer.key]])
  const down = new Set<string>()
  const stack = new AsyncDisposableStack()
  return {
    clock,
    holder,
    answers,
    keys,
    down,
    newId,
    participant: async (did: string) => stack.use(await openParticipant({ clock, answers, keys, down, newId }, did)),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  }
}

export type TestParticipant = Awaited<ReturnType<typeof openParticipant>>

interface Network {
  readonly clock: { nowMs: number; now(): number }
  readonly answers: Map<string, WireAnswer>
  readonly keys: Map<string, SigningKey>
  readonly down: Set<string>
  readonly newId: () => string
}

async function openParticipant(network: Network, did: string) {
  const { clock, answers, keys } = network
  const database = await openSqlite(':memory:')
  await database.execute(
    [...vaultSchema, ...heldConsentsMigrations, ...delegationEndSchema, ...testTables].map((sql) => ({ sql })),
  )
  const vault = await openVault({ database, secret: randomBytes(32), randomBytes, clock })
  const own = ownKeys(keys, did)
  const seen: WireRequest[] = []
  const parts = partsOf(network, { did, own, seen, database, vault })
  const delegations = createHeldDelegations(parts)
  const readSoon: string[] = []
  answers.set(did, async (caller, { path }) => {
    const [, , id = '', last] = path.split('/')
    const token = last === 'token' ? await delegations.tokenFor(id, caller) : undefined
    if (token === undefined) throw new Problem('consent-unknown', 'there is no such consent for you')
    return token
  })
  return {
    did,
    database,
    vault,
    parts,
    seen,
    readSoon,
    delegations,
    held: createHeldConsents(parts),
    attach: createHeldAttach(parts),
    events: createHeldEvents({ ...parts, readSoon: (id) => void readSoon.push(id) }),
    rotate: (number: number) => own.rotate(number),
    told: () => takeTold(database),
    /** What the own systems were told. */
    async webhooks() {
      const rows = await database.all('SELECT payload FROM webhooks ORDER BY place')
      return rows.map(({ payload }) => JSON.parse(String(payload)) as Record<string, unknown>)
    },
    logged: async () => (await database.all('SELECT type FROM logged ORDER BY place')).map(({ type }) => String(type)),
    async [Symbol.asyncDispose]() {
      await vault[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}

function ownKeys(keys: Map<string, SigningKey>, did: string) {
  let current: { keyid: string; key: SigningKey }
  const rotate = (number: number): PublicJwk => {
    current = { keyid: `${did}#auth-${number}`, key: importSigningKey(generatePrivateJwk('ed25519')) }
    keys.set(current.keyid, current.key)
    return current.key.publicJwk
  }
  rotate(1)
  return { current: () => current, rotate }
}

interface Participant {
  readonly did: string
  readonly own: ReturnType<typeof ownKeys>
  readonly seen: WireRequest[]
  readonly database: Database
  readonly vault: SubjectVault
}

function partsOf({ clock, newId, keys, answers, down }: Network, participant: Participant): HeldParts {
  const { did, own, seen, database, vault } = participant
  const call: SignedCaller = async (partner, request) => {
    seen.push(request)
    const { keyid, key } = own.current()
    const answer = answers.get(partner.did)
    if (answer === undefined || down.has(partner.did)) throw new Problem('partner-unreachable', 'nobody is there')
    const value = await answer({ did, jwk: key.publicJwk }, request)
    // What is not JSON does not travel.
    return { status: 200, value: value === undefined ? value : JSON.parse(JSON.stringify(value)), keyid }
  }
  const resolveKey = async (keyid: string) => {
    const key = keys.get(keyid)
    if (key === undefined) throw new Problem('key-unknown', 'there is no such key')
    return importVerifyingKey(key.publicJwk)
  }
  const source = createConsentSource(call)
  const shared = { did, clock, skewSeconds: 5, authenticationKey: own.current, source, resolveKey }
  const partnerOf = (name: string) => ({ did: name, authority: `${name}.test` })
  return {
    ...shared,
    newId,
    vault,
    store: createHeldStore(database),
    execute: (statements) => database.execute(statements),
    record: ({ type, body }, effects) =>
      database.execute([{ sql: 'INSERT INTO logged (type, body) VALUES (?, ?)', params: [type, body] }, ...effects]),
    outbox: {
      statement: ({ recipient, type, payload }) => ({
        sql: 'INSERT INTO told (recipient, type, payload) VALUES (?, ?, ?)',
        params: [recipient, type, JSON.stringify(payload)],
      }),
      wake: () => undefined,
    },
    webhooks: {
      statement: ({ payload, condition: { sql, params = [] } }) => [
        { sql: `INSERT INTO webhooks (payload) SELECT ? WHERE ${sql}`, params: [JSON.stringify(payload), ...params] },
      ],
      wake: () => undefined,
    },
    findPartner: (name) => (answers.has(name) ? partnerOf(name) : undefined),
    keeper: createTokenKeeper({ ...shared, partnerOf }),
    authenticationKeyOf: async (of) => (keys.get(`${of}#auth-1`) as SigningKey).publicJwk,
  }
}

/** What was told since this was asked last. */
async function takeTold(database: Database) {
  const rows = await database.all('SELECT * FROM told WHERE taken IS NULL ORDER BY place')
  await database.execute([{ sql: 'UPDATE told SET taken = 1' }])
  return rows.map(({ recipient, type, payload }) => ({
    recipient: String(recipient),
    type: String(type),
    payload: JSON.parse(String(payload)) as Record<string, unknown>,
  }))
}

/** Lets the participant take an event of the issuer, as its inbox does. */
export async function deliver(
  to: TestParticipant,
  event: { readonly issuer: string; readonly type: string; readonly payload: Readonly<Record<string, unknown>> },
): Promise<void> {
  const handlers: Record<string, (typeof to.events)['consentChanged']> = {
    [consentChanged]: to.events.consentChanged,
    [consentDelegated]: to.events.consentDelegated,
    [delegationEnded]: to.events.delegationEnded,
  }
  const handle = handlers[event.type]
  if (handle === undefined) throw new Error(`no handler of ${event.type}`)
  await to.database.execute(await handle({ ...event, occurredMs: to.parts.clock.now() }))
}

/** Delivers what one participant has told to those of the others whom it was for. */
export async function deliverAll(from: TestParticipant, to: readonly TestParticipant[]): Promise<void> {
  for (const { recipient, type, payload } of await from.told()) {
    for (const one of to) if (one.did === recipient) await deliver(one, { issuer: from.did, type, payload })
  }
}
