/** What `comity verify exchange` says of evidence: about a person who has been erased, together with the content, and
 *  from an address. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { generatePrivateJwk } from '@comity/core/crypto/crypto-node'
import type { EvidenceReport } from '@comity/core/exchange/evidence'
import { exchangeEvidence, holderDocument } from '@comity/core/exchange/test-exchange'
import { pooledRandomBytes } from '@comity/node/assembly/world'
import { selfSignedCertificate } from '@comity/node/http/self-signed-certificate'
import { runQuietly } from '../test-terminal.ts'

const home = await mkdtemp(join(tmpdir(), 'comity-verify-'))
after(() => rm(home, { recursive: true }))
const file = join(home, 'evidence.json')

test('evidence of an erased exchange verifies, and what is gone is named and not called good', async () => {
  const { request: _, event: __, ...rest } = exchangeEvidence()
  await writeFile(file, JSON.stringify({ ...rest, erased: ['request', 'event'] }))
  const { code, out } = await runQuietly('verify', 'exchange', file)
  assert.equal(code, 0)
  assert.match(out, /✓ .*signed the receipt/)
  assert.match(out, /✓ the exchange is entry 5 of the log's 13/)
  assert.match(out, /∅ erased, not checked: event-leaf, the event's text was erased with the person it was about/)
  assert.doesNotMatch(out, /✓.*commits to exactly this event/)
  const { ok, checks } = JSON.parse((await runQuietly('--json', 'verify', 'exchange', file)).out) as EvidenceReport
  assert.ok(ok)
  assert.deepEqual(
    checks.filter(({ erased }) => erased).map(({ name, ok: isOk }) => [name, isOk]),
    [
      'request-signature',
      'request-hash',
      'request-receipt',
      'times',
      'response-request',
      'event-leaf',
      'event-receipt',
    ].map((name) => [name, false]),
  )
})

test('an erased exchange with a receipt that does not verify is false', async () => {
  const { request: _, event: __, receipt, ...rest } = exchangeEvidence()
  const forged = receipt.slice(0, -4) + (receipt.endsWith('AAAA') ? 'BBBB' : 'AAAA')
  await writeFile(file, JSON.stringify({ ...rest, receipt: forged, erased: ['request', 'event'] }))
  assert.equal((await runQuietly('verify', 'exchange', file)).code, 1)
})

test('evidence that has a member twice is refused: a reader of the file might see the other', async () => {
  const whole = JSON.stringify(exchangeEvidence())
  for (const twice of [
    whole.replace('{', '{"receipt":"eyJ…",'),
    whole.replace('"request":{', '"request":{"b\\u0061se":"\\"@method\\": DELETE",'),
  ]) {
    await writeFile(file, twice)
    const { code, out, error } = await runQuietly('verify', 'exchange', file)
    assert.equal(code, 1)
    assert.match(out + error, /is not JSON with distinct members/)
  }
})

test('a file is held against what was answered', async () => {
  await writeFile(file, JSON.stringify(exchangeEvidence()))
  const [answer, other] = [join(home, 'answer.json'), join(home, 'other.json')]
  await writeFile(answer, '{"id":1,"sport":"rowing"}')
  await writeFile(other, '{"id":1,"sport":"judo"}')
  const good = await runQuietly('verify', 'exchange', file, '--answer', answer)
  assert.equal(good.code, 0, good.out)
  assert.match(good.out, /✓ the answer was exactly this file/)
  const bad = await runQuietly('verify', 'exchange', file, '--answer', other)
  assert.equal(bad.code, 1)
  assert.match(bad.out, /✗ the answer was another than this file/)
})

/** An https server that no authority vouches for. */
async function serve(files: Readonly<Record<string, string>>) {
  const jwk = { ...generatePrivateJwk('ecdsa-p256-sha256') }
  const request = { hostname: 'localhost', jwk, nowMs: Date.now(), randomBytes: pooledRandomBytes() }
  const server = createServer(await selfSignedCertificate(request), ({ url = '' }, reply) => {
    const text = files[url]
    reply.writeHead(text === undefined ? 404 : 200).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = async () => void server.close().closeAllConnections()
  return { url: `https://localhost:${port}`, [Symbol.asyncDispose]: close }
}

test('what proves itself is read from any https address, a DID document from a trusted one only', async () => {
  const evidence = exchangeEvidence()
  const document = JSON.stringify(holderDocument)
  await using server = await serve({
    '/evidence.json': JSON.stringify(evidence),
    '/receipt.jws': `${evidence.receipt}\n`,
    '/did.json': document,
  })
  const exchange = await runQuietly('verify', 'exchange', `${server.url}/evidence.json`)
  assert.equal(exchange.code, 0, exchange.error)
  assert.match(exchange.out, /✓ the exchange is entry 5 of the log's 13/)
  const did = join(home, 'did.json')
  await writeFile(did, document)
  const receipt = await runQuietly('verify', 'receipt', `${server.url}/receipt.jws`, '--did-document', did)
  assert.equal(receipt.code, 0, receipt.error)
  assert.match(receipt.out, /✓ signed by did:web:federation\.example#assert-1/)
  const jws = join(home, 'receipt.jws')
  await writeFile(jws, evidence.receipt)
  const unvouched = await runQuietly('verify', 'receipt', jws, '--did-document', `${server.url}/did.json`)
  assert.equal(unvouched.code, 1)
  assert.match(unvouched.error, /no authority vouches for the certificate/)
  const missing = await runQuietly('verify', 'exchange', `${server.url}/other.json`)
  assert.equal(missing.code, 1)
  assert.match(missing.error, /there is nothing at/)
})
