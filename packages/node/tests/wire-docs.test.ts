/** The samples in `docs/protocols/wire-profile.md` and `log.md` are of one exchange that took place: they verify, and
 *  belong together. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { openCheckpoint } from '@comity/core/audit-log/checkpoint'
import { eventCommitment, eventEntry } from '@comity/core/audit-log/event-commitment'
import { ed25519NoteVerifier } from '@comity/core/audit-log/note'
import { parseVerifierKey } from '@comity/core/audit-log/verifier-key'
import { decodeBase64url } from '@comity/core/bytes/base64url'
import { utf8Bytes, utf8Text } from '@comity/core/bytes/utf8'
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import { parseEvidence } from '@comity/core/exchange/evidence-bundle'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { verifyContentDigest } from '@comity/core/http-signatures/content-digest'
import type { RequestParts } from '@comity/core/http-signatures/message'
import { parseRequestSignature, verifyRequestSignature } from '@comity/core/http-signatures/profile-request'
import { parseResponseSignature, verifyResponseSignature } from '@comity/core/http-signatures/profile-response'
import { findService, findVerificationMethod, parseDidDocument } from '@comity/core/identity/did-document'
import { Problem, problemDocument } from '@comity/core/problems'

const read = (name: string) => readFileSync(new URL(`../../../docs/protocols/${name}`, import.meta.url), 'utf8')
const wire = read('wire-profile.md')
const log = read('log.md')

/** Blocks of one kind, in order. */
function blocks(page: string, kind: string): string[] {
  return [...page.matchAll(new RegExp('```' + kind + '\\n([\\s\\S]*?)```', 'g'))].map((match) => match[1] ?? '')
}

/** Start line, fields and body of an HTTP message. */
function message(text: string) {
  const [head = '', ...body] = text.split('\n\n')
  const [start = '', ...lines] = head.trimEnd().split('\n')
  const fields = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  )
  return { start, header: (name: string) => fields.get(name), body: utf8Bytes(body.join('\n\n').trimEnd()) }
}

const [didText = '', claimsText = '', problemText = ''] = blocks(wire, 'json')
const [requestText = '', responseText = ''] = blocks(wire, 'http')
const holder = parseDidDocument(JSON.parse(didText), 'did:web:localhost%3A8443')
const bundle = parseEvidence(JSON.parse(blocks(log, 'json').at(-1) ?? ''))

const request = message(requestText)
const parts: RequestParts = {
  method: 'GET',
  authority: request.header('host') ?? '',
  path: request.start.split(' ')[1] ?? '',
  query: '?',
  hasBody: false,
  header: request.header,
}

test('the sample request verifies with the key of its sender, over the base that is printed', () => {
  const signature = parseRequestSignature(parts)
  const sender = bundle.documents.find(({ id }) => id === signature.did)
  const { jwk } = findVerificationMethod(parseDidDocument(sender, signature.did), signature.keyid, {
    purpose: 'authentication',
    atMs: signature.created * 1_000,
  })
  verifyRequestSignature(signature, importVerifyingKey(jwk))
  assert.equal(blocks(wire, 'text')[0]?.trimEnd(), signature.base)
  assert.equal(signature.base, bundle.request?.base)
})

test('the sample answer verifies with the document that is printed, and belongs to the request', () => {
  const response = message(responseText)
  const answered = { parts, signatureHeader: request.header('signature') }
  const answer = { status: 200, hasBody: true, header: response.header }
  const signature = parseResponseSignature(answer, answered)
  const { jwk } = findVerificationMethod(holder, signature.keyid, {
    purpose: 'authentication',
    atMs: signature.created * 1_000,
  })
  verifyResponseSignature(signature, importVerifyingKey(jwk))
  verifyContentDigest(response.header('content-digest'), response.body)
  const receipt = parseReceipt(response.header('comity-receipt') ?? '')
  assert.deepEqual(JSON.parse(claimsText), receipt.claims)
})

test('the sample problem is what a node writes', () => {
  const { requestId, ...sample } = JSON.parse(problemText) as { requestId: string; detail: string }
  assert.match(requestId, /^[0-9a-f-]{36}$/)
  assert.deepEqual(sample, problemDocument(new Problem('agreement-terminated', sample.detail)))
})

test('the sample entry commits to the sample event, under the sample checkpoint', () => {
  const [entry = '', event = '', checkpoint = ''] = blocks(log, 'text')
  const salt = /with the salt `([\w-]+)`/.exec(log)?.[1] ?? ''
  const committed = eventEntry(eventCommitment(event.trimEnd(), decodeBase64url(salt)))
  assert.equal(entry.trimEnd(), utf8Text(committed))
  assert.deepEqual(bundle.event, { body: event.trimEnd(), salt })
  const leaf = createHash('sha256').update('\0').update(committed).digest('base64url')
  assert.equal(leaf, (JSON.parse(claimsText) as { leaf: string }).leaf)
  const key = findService(holder, 'ComityLog')?.['verifierKey'] as string
  assert.ok(log.includes(`    ${key}\n`))
  const opened = openCheckpoint(checkpoint, ed25519NoteVerifier(parseVerifierKey(key)))
  assert.equal(opened.checkpoint.origin, 'localhost:8443/log')
})

test('the sample evidence verifies with the document of the wire profile', () => {
  const report = verifyEvidence(bundle, { documents: [holder] })
  assert.deepEqual(
    report.checks.filter(({ ok }) => !ok),
    [],
  )
  assert.ok(report.checks.length >= 13)
  assert.equal(report.assumptions.length, 1)
})

test('the table of addresses has every address of the public listener, and nothing else', async () => {
  const table = wire.slice(wire.indexOf('## Addresses'), wire.indexOf('## TLS'))
  const cells = [...table.matchAll(/^\| (.*?) +\|/gm)].map((match) => match[1] ?? '')
  const listed = cells.flatMap((cell) =>
    [...cell.matchAll(/`(?:GET |POST )?(\/[^`]+)`/g)].map(([, path]) => path ?? ''),
  )
  const source = readFileSync(new URL('../src/public/public-routes.ts', import.meta.url), 'utf8')
  const served = [...source.matchAll(/'(\/[a-z./-]+)'/g)].map(([, path]) => path ?? '').filter((path) => path !== '/')
  for (const path of served)
    assert.ok(
      listed.some((one) => one.startsWith(path)),
      `${path} is not in the table`,
    )
  for (const path of listed)
    assert.ok(
      served.some((one) => path.startsWith(one)),
      `${path} is in the table only`,
    )
  assert.ok(listed.length > 12 && new Set(served).size > 8)
})
