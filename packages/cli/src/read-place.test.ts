import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { generatePrivateJwk } from '@comity/core/crypto/crypto-node'
import { selfSignedCertificate } from '@comity/node/http/self-signed-certificate'
import { logSourceOf, readPlace, readTextPlace } from './read-place.ts'

const jwk = { ...generatePrivateJwk('ecdsa-p256-sha256') }
const tls = await selfSignedCertificate({ hostname: 'localhost', jwk, nowMs: Date.now(), randomBytes })
const server = createServer(tls, ({ url }, response) => response.writeHead(url === '/down' ? 503 : 200).end('{}'))
await once(server.listen(0, '127.0.0.1'), 'listening')
after(() => server.close().closeAllConnections())
const base = `https://localhost:${(server.address() as AddressInfo).port}`

test('what proves itself is read from a node whose certificate is its own, and what does not is refused with what to do', async () => {
  assert.equal(await readTextPlace(`${base}/receipt`), '{}')
  await assert.rejects(readPlace(`${base}/did.json`, { allowUntrustedTls: false }), {
    code: 'malformed-request',
    message: /no authority vouches for the certificate of .*compare it with its owner, and give the file$/,
  })
})

test('an address that gives nothing is told with the reason', async () => {
  await assert.rejects(readTextPlace(`${base}/down`), { code: 'partner-unreachable', message: /: status 503$/ })
  await assert.rejects(readTextPlace('https://127.0.0.1:1/'), { code: 'partner-unreachable', message: /ECONNREFUSED/ })
})

test('an address that is not https is refused as one, and not looked for on the disk', async () => {
  const refused = {
    code: 'malformed-request',
    message: /^`\w+:\/\/127.0.0.1\/log` is not read: .*`https:\/\/` address$/,
  }
  for (const place of ['http://127.0.0.1/log', 'FTP://127.0.0.1/log']) {
    await assert.rejects(readTextPlace(place), refused)
    assert.throws(() => logSourceOf(place), refused)
  }
})
