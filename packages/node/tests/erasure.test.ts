/** What a node keeps of calls about people lies on its disk sealed, and after an erasure nobody can read it: neither in
 *  the database nor in its write-ahead log nor in the published log. All that was proved before stays proved. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { consentAuthorization } from '@comity/core/consent-token/consent-authorization'
import { rootToken } from '@comity/core/consent-token/test-chain'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { parseExchangeEvent } from '@comity/core/exchange/event'
import { verifyEvidence, type EvidenceReport } from '@comity/core/exchange/evidence'
import { signRequest, parseRequestSignature } from '@comity/core/http-signatures/profile-request'
import { didKeyDocument, didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import { createEvidenceExport } from '../src/admin/evidence-export.ts'
import { nodeMigrations } from '../src/assembly/schema.ts'
import { openAuditLog } from '../src/audit-log/audit-log.ts'
import { createExchangeStore } from '../src/gateway/exchange-store.ts'
import { openCall, type Answer, type InboundCall } from '../src/gateway/inbound-call.ts'
import { createIntentStore, type Intent } from '../src/gateway/intent-store.ts'
import type { IdentityPort, OfferedProduct } from '../src/gateway/ports.ts'
import { loadProof } from '../src/gateway/proof-route.ts'
import { createExchangeRecorder } from '../src/gateway/record-exchange.ts'
import { migrate } from '../src/storage/migrations.ts'
import { emptyWriteAheadLog } from '../src/storage/sqlite-scrub.ts'
import { openSqlite } from '../src/storage/sqlite.ts'
import { openVault } from '../src/vault/open-vault.ts'

const directory = mkdtempSync(join(tmpdir(), 'comity-erasure-'))
const clock = { now: () => 1_800_000_000_000 }
const origin = 'federation.example/log'
const secret = randomBytes(32)

function participant() {
  const key = importSigningKey(generatePrivateJwk('ed25519'))
  const did = didKeyOf(key.publicJwk)
  return { did, keyid: didKeyId(did), key }
}

const [federation, lab] = [participant(), participant()]

interface Person {
  readonly reference: string
  readonly name: string
}

const people: readonly Person[] = ['Kim', 'Ada', 'Bo'].map((name, n) => ({
  reference: `planted-73604166${n}`,
  name: `planted-${name} Jansen`,
}))
const [kim, ada] = people as [Person, Person, Person]

type Scene = Awaited<ReturnType<typeof openScene>>

async function openScene(stack: AsyncDisposableStack) {
  for (const folder of ['data', 'log']) mkdirSync(join(directory, folder), { recursive: true })
  const database = stack.use(await openSqlite(join(directory, 'data', 'comity.db')))
  await migrate(database, nodeMigrations, clock)
  const vault = stack.use(
    await openVault({ database, secret, randomBytes, clock, scrub: () => emptyWriteAheadLog(database) }),
  )
  const log = stack.use(
    await openAuditLog({
      database,
      directory: join(directory, 'log'),
      origin,
      signingKey: logKey,
      randomBytes,
      vault,
      intervalMs: 1_000_000,
    }),
  )
  const identity = { did: federation.did, assertionKey: () => federation } as unknown as IdentityPort
  const exchanges = createExchangeStore(database, vault)
  const exportEvidence = createEvidenceExport({
    did: federation.did,
    verifierKey: log.verifierKey,
    findExchange: (id) => exchanges.find(id),
    loadProof: async (id) => {
      await log.integrate()
      return loadProof(log, id)
    },
    fetchProof: () => Promise.reject(new Error('the log is the own one')),
    fetchVerifierKey: () => Promise.reject(new Error('the log is the own one')),
    resolveDocument: async (did) => didKeyDocument(did),
    sleep: async () => {},
  })
  const intents = createIntentStore(database, vault)
  return {
    database,
    vault,
    log,
    exchanges,
    exportEvidence,
    intents,
    recorder: createExchangeRecorder({ auditLog: log, identity, vault, intents, unsettled: new Set() }),
  }
}

const logKey = importSigningKey(generatePrivateJwk('ed25519'))
let calls = 0

/** A call of the lab about the person, as far as the steps before the record have filled it in. */
async function callAbout({ vault }: Scene, { reference }: Person): Promise<InboundCall> {
  const id = `0190a7f0-0000-7000-8000-${String(++calls).padStart(12, '0')}`
  const path = `/x/athletes/athletes/${reference}`
  const consent = { id: 'urn:uuid:0190a7f0-0000-7000-8000-00000000000c', rev: 1, hash: 'A'.repeat(43) }
  const fields: Record<string, string> = { authorization: consentAuthorization(rootToken({ consent })) }
  const parts = { method: 'POST', authority: 'federation.example', path, query: '?', hasBody: false, scheme: 'https' }
  const header = (name: string) => fields[name]
  const createdAt = clock.now() / 1000
  const nonce = randomBytes(16).toString('base64url')
  const made = signRequest({ ...parts, header }, { ...lab, createdAt, expiresAt: createdAt + 30, nonce })
  Object.assign(fields, { 'signature-input': made.signatureInput, signature: made.signature })
  const request = { method: 'POST', path } as InboundCall['request']
  const product = { id: 'athletes', version: '1.0.0', productClass: 'personal' } as OfferedProduct
  const head = { id, receivedAtMs: clock.now(), message: {} as InboundCall['message'], trace: undefined }
  return Object.assign(openCall({ ...head, request, addressed: product }), {
    signature: parseRequestSignature({ ...parts, header }),
    caller: { did: lab.did, keyid: lab.keyid, key: importVerifyingKey(lab.key.publicJwk) },
    product,
    operation: { operationId: 'measure', template: '/athletes/{id}' },
    consent: {
      allowed: true,
      consent,
      via: [],
      key: await vault.open(vault.handleOf(reference)),
      reference,
      pairwise: vault.pairwise(reference, lab.did),
      release: { parts: [], released: ['/name'], withheld: [] },
      keyedHash: (text: string) => text,
      use: () => [],
      confirm: async () => undefined,
      settle: () => undefined,
    } satisfies InboundCall['consent'],
  })
}

/** Records the intent and the outcome of an unsafe call with an idempotency key, as the steps do. Gives its id. */
async function record(scene: Scene, person: Person): Promise<string> {
  const { intents, recorder, database } = scene
  const call = await callAbout(scene, person)
  const intent: Intent = {
    id: call.id,
    caller: lab.did,
    idempotencyKey: `key-${call.id}`,
    fingerprint: 'B'.repeat(43),
    event: JSON.stringify({ person: person.name }),
    startedMs: clock.now(),
    subject: call.consent?.key,
    nonce: undefined,
  }
  await database.execute([intents.insert(intent)])
  const answer: Answer = { status: 200, headers: [], body: Buffer.from(JSON.stringify({ name: person.name })) }
  const outcome = recorder.prepareAnswered(call, answer, clock.now())
  await recorder.recordAnswered(call, outcome, [intents.finish(intent, answer)])
  return call.id
}

/** All bytes of all files below the directory. */
function everything(): Buffer {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  assert.ok(files.some(({ name }) => name === 'comity.db') && files.some(({ name }) => name === 'checkpoint'))
  return Buffer.concat(files.map(({ parentPath, name }) => readFileSync(join(parentPath, name))))
}

/** Which of the texts stand in the bytes, as they are or in an encoding. */
function found(bytes: Buffer, texts: readonly string[]): string[] {
  const spellings = (text: string) => [
    Buffer.from(text),
    Buffer.from(Buffer.from(text).toString('hex')),
    Buffer.from(Buffer.from(text).toString('base64url').slice(0, -2)),
  ]
  return texts.filter((text) => spellings(text).some((spelling) => bytes.includes(spelling)))
}

const planted = people.flatMap(({ reference, name }) => [reference, name])
const stateOf = ({ checks }: EvidenceReport, name: string) => {
  const check = checks.find((one) => one.name === name)
  return check?.erased ? 'erased' : check?.ok
}

describe('of calls about people', () => {
  const stack = new AsyncDisposableStack()
  const ids = new Map<Person, string>()
  let scene: Scene
  before(async () => {
    scene = await openScene(stack)
    for (const person of people) ids.set(person, await record(scene, person))
    await scene.log.integrate()
  })
  after(async () => {
    await stack[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true })
  })
  const idOf = (person: Person) => ids.get(person) ?? ''

  test('no reference, name, path or answer lies on the disk in clear, before anybody was erased', async () => {
    assert.deepEqual(found(everything(), [...planted, '/x/athletes/athletes/']), [])
    const kept = await scene.intents.findByKey(lab.did, `key-${idOf(kim)}`)
    assert.equal(Buffer.from(kept?.answer?.body ?? []).toString(), JSON.stringify({ name: kim.name }))
    assert.match((await scene.exchanges.find(idOf(kim)))?.request?.base ?? '', new RegExp(kim.reference))
  })

  test('an erasure takes the words of one person and leaves every proof', async () => {
    const { database, vault, exportEvidence } = scene
    const earlier = await exportEvidence(idOf(kim))
    assert.ok(verifyEvidence(earlier.evidence).ok)
    assert.equal(stateOf(verifyEvidence(earlier.evidence), 'event-leaf'), true)
    const handle = vault.handleOf(kim.reference)
    const wrapped = (await database.get('SELECT wrapped FROM subject_keys WHERE handle = ?', [handle]))?.['wrapped']
    assert.ok(everything().includes(Buffer.from(wrapped as Uint8Array)))
    await database.execute(vault.destroy(handle, clock.now()))
    await vault.forget(handle)
    const bytes = everything()
    assert.ok(!bytes.includes(Buffer.from(wrapped as Uint8Array)))
    assert.deepEqual(found(bytes, planted), [])
    await record(scene, ada)

    const later = await exportEvidence(idOf(kim))
    assert.deepEqual(later.missing, [])
    const report = verifyEvidence(later.evidence)
    assert.deepEqual(
      ['receipt-signature', 'log-inclusion', 'log-key', 'event-leaf', 'request-signature'].map((name) =>
        stateOf(report, name),
      ),
      [true, true, true, 'erased', 'erased'],
    )
    assert.ok(report.ok && verifyEvidence(earlier.evidence).ok)
    assert.equal(stateOf(verifyEvidence((await exportEvidence(idOf(ada))).evidence), 'event-leaf'), true)
  })

  test('nothing of an erased person can be read with all that the node has', async () => {
    const { database, vault } = scene
    const handle = vault.handleOf(kim.reference)
    const prefix = `sealed:${handle}:`
    let sealedTexts = 0
    const tables = await database.all<{ name: string }>(`SELECT name FROM sqlite_schema WHERE type = 'table'`)
    for (const { name } of tables) {
      for (const row of await database.all(`SELECT * FROM ${name}`)) {
        for (const value of Object.values(row)) {
          const text = value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)
          if (!text.startsWith(prefix)) continue
          sealedTexts++
          assert.equal(await vault.unseal(text), undefined, name)
        }
      }
    }
    assert.ok(sealedTexts >= 6, `${sealedTexts} sealed texts of the person`)
    const events = await scene.log.readEvents({ subject: handle })
    assert.deepEqual([events.length, events[0]?.body], [1, undefined])
    const others = await scene.log.readEvents({ subject: vault.handleOf(ada.reference) })
    assert.deepEqual(
      others.map(({ body }) => parseExchangeEvent(body ?? '').outcome),
      ['allowed', 'allowed'],
    )
    const kept = await scene.intents.findByKey(lab.did, `key-${idOf(kim)}`)
    assert.deepEqual([kept?.event, kept?.answer], [undefined, undefined])
  })
})
