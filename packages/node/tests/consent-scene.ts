/** A federation that holds data about athletes, with its real database, vault, log, outbox, status lists and webhooks;
 *  a lab that asks; a clock that tests turn. Links and duties are rows of two tables, to see that they are written in
 *  the same transaction. */
import { randomBytes } from 'node:crypto'
import { formatDateTime } from '@comity/core/agreement/date-time'
import type { ConsentProof } from '@comity/core/consent/consent-record'
import { testRequest, testLabels, testPurposes } from '@comity/core/consent/test-consent'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { Problem } from '@comity/core/problems'
import { auditLogTables } from '../src/audit-log/audit-log-schema.ts'
import { openLog, PowerlessFiles, watchedDatabase } from '../src/audit-log/log-test-kit.ts'
import { createDelegateEvents } from '../src/consent/holder/consent-delegates.ts'
import type { ConsentableProduct, ConsentsParts, KnownRecipient } from '../src/consent/holder/consent-ports.ts'
import { consentsMigrations, requestFingerprintSchema } from '../src/consent/holder/consent-schema.ts'
import type { ConsentDraft, DecisionBy } from '../src/consent/consent-service.ts'
import { createConsentStore } from '../src/consent/holder/consent-store-sql.ts'
import { createConsents } from '../src/consent/holder/consents.ts'
import { createTokenIssuer } from '../src/consent/holder/issue-token.ts'
import { createEventStore } from '../src/events/event-store-sql.ts'
import { eventsMigrations } from '../src/events/events-schema.ts'
import { Outbox } from '../src/events/outbox.ts'
import { createStatusLists } from '../src/status/status-lists.ts'
import { statusMigrations } from '../src/status/status-schema.ts'
import { createStatusStore } from '../src/status/status-store-sql.ts'
import { openSqlite } from '../src/storage/sqlite.ts'
import { openVault } from '../src/vault/open-vault.ts'
import { vaultSchema } from '../src/vault/vault-schema.ts'
import { withoutClients } from '../src/webhooks/webhooks-test-clients.ts'
import { createWebhooks } from '../src/webhooks/webhooks.ts'
import { createWebhookStore } from '../src/webhooks/webhook-store-sql.ts'
import { deadLettersSchema, webhooksSchema } from '../src/webhooks/webhooks-schema.ts'

export const startMs = Date.parse('2026-03-01T10:00:00Z')
export const dayMs = 86_400_000
export const federation = participant('federation.example')
export const lab = participant('lab.example')
export const firm = participant('firm.example')
export const archive = participant('archive.example')
export const athlete = '736041664'
export const { research } = testPurposes

export interface TestParticipant {
  readonly did: string
  readonly keyid: string
  readonly key: ReturnType<typeof importSigningKey>
}

function participant(host: string): TestParticipant {
  const did = `did:web:${host}`
  return { did, keyid: `${did}#key-1`, key: importSigningKey(generatePrivateJwk('ed25519')) }
}

const everybody = [federation, lab, firm, archive]

async function resolveKey(keyid: string) {
  const found = everybody.find((one) => one.keyid === keyid)
  if (found === undefined) throw new Problem('key-unknown', `\`${keyid}\` is not known`)
  return importVerifyingKey(found.key.publicJwk)
}

const tables = [
  ...auditLogTables,
  ...vaultSchema,
  ...consentsMigrations,
  ...requestFingerprintSchema,
  ...eventsMigrations,
  ...statusMigrations,
  ...webhooksSchema,
  ...deadLettersSchema,
  'CREATE TABLE made_links (consent TEXT NOT NULL, lifetime_ms INTEGER NOT NULL) STRICT',
  'CREATE TABLE imposed_duties (duty TEXT NOT NULL) STRICT',
]

/** Version 7, so that ids sort by the clock and, at one moment, by the order in which they were made. */
function idsBy(clock: { now(): number }): () => string {
  let made = 0
  return () => {
    const time = clock.now().toString(16).padStart(12, '0')
    const count = (made++).toString(16).padStart(12, '0')
    return `${time.slice(0, 8)}-${time.slice(8)}-7${count.slice(0, 3)}-8${count.slice(3, 6)}-${count.slice(6)}000000`
  }
}

async function openStorage() {
  const database = await openSqlite(':memory:')
  await database.execute(tables.map((sql) => ({ sql })))
  return watchedDatabase(database)
}

export type Scene = Awaited<ReturnType<typeof openScene>>

/** Opens the scene; `change` puts other ports in place. */
export async function openScene(change: Partial<ConsentsParts> = {}) {
  const world = { nowMs: startMs }
  const clock = { now: () => world.nowMs }
  const newId = idsBy(clock)
  const database = await openStorage()
  const vault = await openVault({ database, secret: randomBytes(32), randomBytes, clock })
  const log = await openLog(database, new PowerlessFiles(), { vault })
  const own = { did: federation.did, clock, newId, assertionKey: () => federation }
  const events = createEventStore(database)
  const outbox = new Outbox({
    ...own,
    store: events,
    vault,
    deliver: async () => ({ acknowledged: false, reason: 'nobody listens' }),
    randomBytes,
    onError: () => undefined,
  })
  const statusLists = createStatusLists({
    ...own,
    store: createStatusStore(database),
    baseUrl: () => 'https://federation.example',
    randomBytes,
  })
  const webhooks = openWebhooks({ database, vault, clock, newId })
  const store = createConsentStore(database)
  const parts: ConsentsParts = {
    ...own,
    store,
    vault,
    resolveKey,
    record: (event, effects) => log.append(log.prepare(event), effects),
    // What is in the outbox stays there: nothing is sent before a test says so.
    outbox: { statement: (event) => outbox.statement(event), wake: () => undefined },
    statusLists,
    webhooks: { statement: (event, key) => webhooks.statement(event, key), wake: () => undefined },
    duties: {
      impose: (duty) => [{ sql: 'INSERT INTO imposed_duties VALUES (?)', params: [JSON.stringify(duty)] }],
    },
    links: {
      create: ({ consent, lifetimeMs }) => ({
        url: `https://consent.federation.example/c/${consent.length}`,
        statements: [{ sql: 'INSERT INTO made_links VALUES (?, ?)', params: [consent, lifetimeMs] }],
      }),
    },
    products: { describe: (id) => (id === 'athletes' ? athletes : undefined) },
    recipients: { find: (did) => known.get(did) },
    passkeyFacts: () => ({ rpId: 'consent.federation.example', origins: ['https://consent.federation.example'] }),
    options: {
      holder: { name: 'Sports Federation', country: 'CH' },
      requestDays: 14,
      withdrawalUri: 'https://consent.federation.example/me',
    },
    ...change,
  }
  return {
    world,
    database,
    vault,
    log,
    store,
    statusLists,
    parts,
    consents: createConsents(parts),
    delegates: createDelegateEvents(parts),
    issuer: createTokenIssuer(parts),
    events,
    webhooks,
    async [Symbol.asyncDispose]() {
      for (const one of [webhooks, outbox, log, vault, database]) await one[Symbol.asyncDispose]()
    },
  }
}

const fields = testLabels.map(({ path }) => path)
const athletes: ConsentableProduct = {
  labels: testLabels,
  actions: ['read', 'query'],
  undated: [{ id: 'athlete', action: 'read', fields }],
}
const known = new Map<string, KnownRecipient>([
  [lab.did, { name: 'Sports Lab', country: 'DE' }],
  [firm.did, {}],
])

function openWebhooks({
  database,
  ...world
}: Pick<Parameters<typeof createWebhooks>[0], 'vault' | 'clock' | 'newId'> & {
  database: Parameters<typeof createWebhookStore>[0]
}) {
  return createWebhooks({
    ...world,
    endpoints: [
      {
        url: 'https://systems.federation.example/hooks',
        signers: [],
        events: ['consent.requested', 'consent.changed'],
        fingerprints: [],
        timeoutMs: 1_000,
        giveUpAfterHours: 72,
      },
    ],
    clients: withoutClients,
    store: createWebhookStore(database),
    deliver: () => Promise.reject(new Error('nobody listens')),
    randomBytes,
    onDelivered: () => undefined,
    onDelayed: () => undefined,
    onDead: () => undefined,
    onError: () => undefined,
  })
}

/** What the federation's own systems are told, in order: type and data. */
export async function toldToSystems({ database, vault }: Scene): Promise<{ type: string; data: Json }[]> {
  const rows = await database.all('SELECT payload FROM webhook_messages ORDER BY rowid')
  const texts = await Promise.all(rows.map((row) => vault.unseal(String(row['payload']))))
  return texts.map((text) => JSON.parse(text ?? '{}') as { type: string; data: Json })
}

/** What other nodes are told, in order of their names. */
export async function toldToNodes({ events }: Scene): Promise<{ recipient: string; state: unknown; seq: unknown }[]> {
  const entries = await events.listOutgoing(100)
  return entries
    .map(({ recipient, payload }) => ({ recipient, state: payload['state'], seq: payload['seq'] }))
    .toSorted((a, b) => Number(a.seq) - Number(b.seq) || a.recipient.localeCompare(b.recipient))
}

export async function imposed({ database }: Scene): Promise<Json[]> {
  const rows = await database.all('SELECT duty FROM imposed_duties ORDER BY rowid')
  return rows.map((row) => JSON.parse(String(row['duty'])) as Json)
}

export type Json = Record<string, unknown>

export const bySubject = (change: Partial<DecisionBy> = {}): DecisionBy => ({
  role: 'subject',
  method: 'page',
  lang: 'en',
  presentedMs: startMs,
  ...change,
})

/** The proof that a one-time link was used. */
export function linkProof({ record }: ConsentDraft, role: 'subject' | 'grantor' = 'subject'): ConsentProof {
  return { by: record.grantor.id, role, type: 'link', at: formatDateTime(startMs), value: { channel: 'webhook' } }
}

export const everything = { grants: [{ id: 'g1' }] }

/** A consent of the athlete, asked for and granted by link. Gives its id. */
export async function grantedConsent(
  { consents }: Pick<Scene, 'consents'>,
  request: unknown,
  choice: Parameters<Scene['consents']['draft']>[1] = everything,
): Promise<string> {
  const { id } = await consents.requestConsent(request, { did: lab.did })
  const draft = await consents.draft(id, choice, bySubject())
  await consents.grant(draft, linkProof(draft), bySubject())
  return id
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'nothing was thrown',
    (error: unknown) => (error instanceof Problem ? error.code : String(error)),
  )
}

/** The id of what the lab asked for. */
export async function asked({ consents }: Scene, request: unknown = testRequest()): Promise<string> {
  return (await consents.requestConsent(request, { did: lab.did })).id
}

export async function stepTypes({ consents }: Scene, id: string): Promise<readonly string[]> {
  return (await consents.events(id)).map(({ type }) => type)
}
