import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { signDutyReceipt, type DutyReceiptClaims } from '@comity/core/duties/duty-receipt'
import { didKeyOf } from '@comity/core/identity/did-key'
import { runQuietly } from '../test-terminal.ts'

const home = await mkdtemp(join(tmpdir(), 'comity-verify-duty-'))
after(() => rm(home, { recursive: true }))
const file = join(home, 'deletion.jws')

const key = importSigningKey(generatePrivateJwk('ed25519'))
const debtor = didKeyOf(key.publicJwk)
const keyid = `${debtor}#${debtor.slice('did:key:'.length)}`
const receiptOf = (members: Partial<DutyReceiptClaims> = {}, signer = { keyid, key }): string =>
  signDutyReceipt(
    {
      iss: debtor,
      aud: 'did:web:federation.example',
      iat: 1_771_100_000,
      duty: '019c5d4e-2f00-7aa1-8e65-30b3c2d1a001',
      kind: 'delete',
      consent: 'urn:uuid:019c5d4e-2f00-7000-8000-00000000c0de',
      sub: 'ps_S9lKDr2bq4yZqFBhXxMsjXWrKlyWW5P9aOZ1JCXRCtE',
      outcome: 'deleted',
      at: 1_771_100_000_000,
      ...members,
    },
    signer,
  )

test('a deletion receipt verifies, as a file of its own and as the command showed the duty', async () => {
  const receipt = receiptOf()
  for (const text of [`${receipt}\n`, JSON.stringify({ state: 'done', receipt }, null, 2)]) {
    await writeFile(file, text)
    const { code, out } = await runQuietly('verify', 'duty', file)
    assert.equal(code, 0)
    assert.match(out, /✓ signed by did:key:/)
    assert.match(out, /✓ the duty `delete` ended with `deleted`/)
  }
  const { isFulfilled } = JSON.parse((await runQuietly('--json', 'verify', 'duty', file)).out) as object & {
    isFulfilled?: unknown
  }
  assert.equal(isFulfilled, true)
})

test('a receipt that says why the data are kept is genuine, and is not told as a deletion', async () => {
  await writeFile(file, receiptOf({ outcome: 'retained', ground: 'tax law' }))
  const { code, out } = await runQuietly('verify', 'duty', file)
  assert.equal(code, 0)
  assert.match(out, /! the duty `delete` was not done: retained, tax law/)
  assert.doesNotMatch(out, /✓ the duty/)
})

test('a receipt of an impossible time is refused: of one to come, and of one before its duty', async () => {
  const timed = (at: number) => receiptOf({ at, iat: Math.floor(at / 1000) })
  const imposedMs = 0x019c5d4e2f00
  const later = (await runQuietly('verify', 'duty', file, '--at', '2099-06-01T00:00:00Z')).code
  assert.equal(later, 0)
  for (const [text, args, why] of [
    [timed(Date.UTC(2099, 0)), [], /dated in the future/],
    [timed(Date.UTC(1999, 0)), [], /dated before the duty/],
    [receiptOf({ iat: Date.UTC(2099, 0) / 1000 }), [], /dated in the future/],
    [timed(imposedMs), ['--at', '2026-02-01'], /dated in the future/],
    [JSON.stringify({ created: '2026-02-16T00:00:00Z', receipt: timed(imposedMs) }), [], /dated before the duty/],
    [timed(imposedMs), ['--at', 'soon'], /`--at` is no time/],
    [JSON.stringify({ created: 'soon', receipt: timed(imposedMs) }), [], /`created` is no time/],
  ] as const) {
    await writeFile(file, text)
    const { code, out, error } = await runQuietly('verify', 'duty', file, ...args)
    assert.equal(code, 1)
    assert.match(error, why)
    assert.doesNotMatch(out, /✓/)
  }
})

test('a receipt by a key that is out of use since says what that is worth', async () => {
  const did = 'did:web:lab.example'
  const id = `${did}#k`
  const method = { id, type: 'JsonWebKey', controller: did, publicKeyJwk: key.publicJwk }
  const document = join(home, 'former.json')
  const expires = '2026-02-15T00:00:00Z'
  const context = ['https://www.w3.org/ns/did/v1']
  const former = { ...method, expires, formerly: ['assertionMethod'] }
  await writeFile(document, JSON.stringify({ '@context': context, id: did, verificationMethod: [former] }))
  const timed = (at: number) => receiptOf({ iss: did, at, iat: Math.floor(at / 1000) }, { keyid: id, key })
  await writeFile(file, timed(Date.parse(expires) - 1_000))
  const { code, out } = await runQuietly('verify', 'duty', file, '--did-document', document)
  assert.equal(code, 0)
  assert.match(out, /! the key is out of use since 2026-02-15T00:00:00\.000Z/)
  await writeFile(file, timed(Date.parse(expires)))
  assert.equal((await runQuietly('verify', 'duty', file, '--did-document', document)).code, 1)
})

test('a changed receipt, another document and a duty without a receipt are refused', async () => {
  const [header, payload, signature] = receiptOf().split('.') as [string, string, string]
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as DutyReceiptClaims
  const changed = Buffer.from(JSON.stringify({ ...claims, consent: 'urn:uuid:other' })).toString('base64url')
  const document = join(home, 'did.json')
  const other = didKeyOf(importSigningKey(generatePrivateJwk('ed25519')).publicJwk)
  await writeFile(document, JSON.stringify({ id: other }))
  const cases: [text: string, args: string[]][] = [
    [`${header}.${changed}.${signature}`, []],
    [receiptOf(), ['--did-document', document]],
    [JSON.stringify({ state: 'open' }), []],
    ['{"state":', []],
  ]
  for (const [text, args] of cases) {
    await writeFile(file, text)
    const { code, error } = await runQuietly('verify', 'duty', file, ...args)
    assert.equal(code, 1, text)
    assert.notEqual(error, '')
  }
})
