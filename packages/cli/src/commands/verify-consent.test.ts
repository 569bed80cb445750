/** What `comity verify consent` says of records: whole, altered, incomplete, and of consents that ended. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { holderProof } from '@comity/core/consent/consent-proof'
import type { ConsentEvent, ConsentRecord } from '@comity/core/consent/consent-record'
import { eventHash, recordHash } from '@comity/core/consent/parse-record'
import { testGrant, testParties, testRecord } from '@comity/core/consent/test-consent'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { createStatusList, encodeStatusList, setStatus } from '@comity/core/status-list/status-list'
import { signStatusList, statusListMediaType } from '@comity/core/status-list/status-list-token'
import { selfSignedCertificate } from '@comity/node/http/self-signed-certificate'
import { runQuietly } from '../test-terminal.ts'

const home = await mkdtemp(join(tmpdir(), 'comity-verify-consent-'))
after(() => rm(home, { recursive: true }))

const key = importSigningKey(generatePrivateJwk('ed25519'))
const keyid = `${testParties.holder}#assert-1`
const documentFile = join(home, 'did.json')
const method = { id: keyid, type: 'JsonWebKey', controller: testParties.holder, publicKeyJwk: key.publicJwk }
await writeFile(
  documentFile,
  JSON.stringify({ id: testParties.holder, verificationMethod: [method], assertionMethod: [keyid] }),
)

const statuses = createStatusList(2, 64)
const tlsJwk = { ...generatePrivateJwk('ecdsa-p256-sha256') }
const tls = await selfSignedCertificate({ hostname: 'localhost', jwk: tlsJwk, nowMs: Date.now(), randomBytes })
const server = createServer(tls, (_, response) => {
  const iat = Math.floor(Date.now() / 1_000)
  const list = encodeStatusList(statuses, (bytes) => deflateSync(bytes))
  const claims = { sub: uri(), iat, exp: iat + 600, ttl: 30, status_list: list }
  response.setHeader('content-type', statusListMediaType).end(signStatusList(claims, { keyid, key }))
})
const uri = () => `https://localhost:${(server.address() as AddressInfo).port}/status/1`
before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
after(() => void server.close().closeAllConnections())

function signed(members: Partial<ConsentRecord> = {}): ConsentRecord {
  const record = testRecord({
    revocation: { by: ['subject', 'holder'], status: { uri: uri(), idx: 7 } },
    ...members,
  })
  const session = {
    by: record.subject.id,
    role: 'subject',
    type: 'session',
    at: record.createdAt,
    value: { channel: 'https://portal.example' },
  } as const
  return { ...record, proofs: [session, holderProof(record, { keyid, key })] }
}

async function verify(content: unknown, ...options: string[]) {
  const file = join(home, 'record.json')
  await writeFile(file, JSON.stringify(content))
  return runQuietly('verify', 'consent', file, '--did-document', documentFile, ...options)
}

function stepsOf({ id, subject }: ConsentRecord): ConsentEvent[] {
  const at = '2026-03-01T10:00:00Z'
  const by = { id: subject.id, role: 'subject' } as const
  const asked = { id: testParties.recipient, role: 'recipient' } as const
  const first: ConsentEvent = {
    consent: id,
    seq: 1,
    at,
    type: 'requested',
    state: 'requested',
    by: asked,
    method: 'wire',
  }
  const prev = eventHash(first)
  return [first, { consent: id, seq: 2, at, type: 'granted', state: 'active', rev: 1, by, method: 'page', prev }]
}

test('a record that its holder signed verifies, and what is only the holder’s word is called that', async () => {
  const { code, out } = await verify(signed())
  assert.equal(code, 0, out)
  assert.match(out, /✓ 1 revision in one chain/)
  assert.match(out, new RegExp(`✓ revision 1: signed by the holder with ${keyid}`))
  assert.match(out, /! that the person decided is the holder’s word/)
})

test('an export verifies as a whole: revisions, steps, every signature', async () => {
  const first = signed()
  const second = signed({
    rev: 2,
    prev: recordHash(first),
    grants: [testGrant({ fields: { include: ['height'] } })],
    createdAt: '2026-03-02T10:00:00Z',
  })
  const { code, out } = await verify({ records: [first, second], events: stepsOf(first) })
  assert.equal(code, 0, out)
  assert.match(out, /✓ 2 revisions in one chain/)
  assert.match(out, /✓ 2 steps in one chain, the last granted/)
  const alone = await verify(second)
  assert.equal(alone.code, 0)
  assert.match(alone.out, /! revisions 1 to 1 are not in the file/)
})

test('a record that was altered, is signed by another or by nobody is false', async () => {
  const record = signed()
  const stranger = { keyid, key: importSigningKey(generatePrivateJwk('ed25519')) }
  const bad: [unknown, RegExp][] = [
    [{ ...record, createdAt: '2026-03-01T10:00:01Z' }, /consent-proof-invalid/],
    [{ ...record, proofs: [] }, /consent-proof-invalid/],
    [{ ...record, proofs: [holderProof(record, stranger)] }, /consent-proof-invalid/],
    [{ ...record, surprise: 1 }, /consent-record-invalid/],
    [{ records: [record, record] }, /consent-record-invalid/],
    [{ records: [record], events: stepsOf(record).slice(1) }, /consent-record-invalid/],
    [{ records: [] }, /consent-record-invalid/],
    ['x', /consent-record-invalid/],
  ]
  for (const [content, why] of bad) {
    const { code, error } = await verify(content)
    assert.equal(code, 1)
    assert.match(error, why)
  }
})

test('the document of another participant proves nothing', async () => {
  const record = testRecord()
  const parties = record.parties.map((party) =>
    party.role === 'holder' ? { ...party, id: 'did:web:other.example' } : party,
  )
  const { code, error } = await verify({ ...signed(), parties })
  assert.equal(code, 1)
  assert.match(error, /consent-record-invalid/)
})

test('asked for the status, an ended consent is false though its record is genuine', async () => {
  assert.match((await verify(signed(), '--status')).out, /✓ its status is valid/)
  setStatus(statuses, 7, 1)
  const { code, out } = await verify(signed(), '--status')
  assert.equal(code, 1)
  assert.match(out, /✗ its status is invalid/)
  assert.equal((await verify(signed())).code, 0)
})
