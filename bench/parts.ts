/** `node bench/parts.ts`: what the pure parts of one exchange cost at the holder, each called alone. Paper sums
 *  are lower than reality by a third to a half (caches are warm here, and nothing else runs). */

import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { SignatureAlgorithm } from '@comity/core/crypto/crypto'
import { generatePrivateJwk, importSigningKey, importVerifyingKey, sha256 } from '@comity/core/crypto/crypto-node'
import { exchangeEventBody } from '@comity/core/exchange/event'
import { receiptSigner, type ReceiptClaims } from '@comity/core/exchange/receipt'
import { contentDigest } from '@comity/core/http-signatures/content-digest'
import {
  parseRequestSignature,
  signRequest,
  verifyRequestSignature,
} from '@comity/core/http-signatures/profile-request'
import { signResponse } from '@comity/core/http-signatures/profile-response'
import { createRateLimiter } from '@comity/node/limits/rate-limiter'
import { table } from './report.ts'
import { median } from './rounds.ts'
import { payload } from './upstream/payload.ts'

const holder = 'did:web:federation.example'
const recipient = 'did:web:lab.example'
const id = '0190b7a0-7c2e-7d55-9d3f-0f3f0a6a1b2c'
const createdAt = 1_718_000_000
const hash = 'RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg'

const claims: ReceiptClaims = {
  iss: holder,
  aud: recipient,
  jti: id,
  iat: createdAt,
  time: createdAt * 1000,
  req: hash,
  res: hash,
  status: 200,
  prd: 'readings',
  ver: '1.0.0',
  op: 'getReadings',
  agr: 'urn:uuid:0190b7a0-7c2e-7d55-9d3f-0f3f0a6a1b2d',
  log: 'federation.example/log',
  leaf: hash,
}

/** Median CPU microseconds of a call (all threads, so with what garbage it makes) over ten stretches of at least
 *  30 ms, after one to warm up. */
function microsOf(call: () => unknown): number {
  const stretch = (): number => {
    const before = process.cpuUsage()
    const endsAt = performance.now() + 30
    let calls = 0
    for (; performance.now() < endsAt; calls += 16) for (let i = 0; i < 16; i++) call()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / calls
  }
  stretch()
  return median(Array.from({ length: 10 }, stretch))
}

/** Microseconds of what depends on the algorithm of the keys. */
function signingParts(algorithm: SignatureAlgorithm): Record<string, number> {
  const { d, ...publicJwk } = generatePrivateJwk(algorithm)
  const key = importSigningKey({ ...publicJwk, d })
  const verifying = importVerifyingKey(publicJwk)
  const unsigned = { method: 'GET', authority: 'federation.example', path: '/x/readings/readings/42', query: '?' }
  const nonce = randomBytes(16).toString('base64url')
  const signing = { key, keyid: `${recipient}#k1`, createdAt, expiresAt: createdAt + 60, nonce }
  const made = signRequest({ ...unsigned, header: () => undefined }, signing)
  const fields = new Map([
    ['signature', made.signature],
    ['signature-input', made.signatureInput],
  ])
  const parts = { ...unsigned, header: (name: string) => fields.get(name) }
  const parsed = parseRequestSignature(parts)
  const sign = receiptSigner(key, `${holder}#k1`)
  const answer = new Map([
    ['content-type', 'application/json'],
    ['content-digest', contentDigest(Buffer.from(payload))],
    ['comity-receipt', sign(claims)],
    ['content-length', String(payload.length)],
  ])
  const response = { status: 200, header: (name: string) => answer.get(name) }
  const request = { parts, signatureHeader: made.signature }
  return {
    'raw verification': microsOf(() => verifying.verify(made.base, parsed.signature)),
    'raw signing': microsOf(() => key.sign(made.base)),
    'request: parse the signature': microsOf(() => parseRequestSignature(parts)),
    'request: parse and verify': microsOf(() => verifyRequestSignature(parseRequestSignature(parts), verifying)),
    'receipt: sign': microsOf(() => sign(claims)),
    'response: sign': microsOf(() => signResponse(response, request, { key, keyid: `${holder}#k1`, createdAt })),
  }
}

function hashingParts(): Record<string, number> {
  const body = Buffer.from(payload)
  const event = {
    id,
    role: 'holder',
    outcome: 'allowed',
    time: createdAt * 1000,
    peer: recipient,
    product: 'readings',
    version: '1.0.0',
    operation: 'getReadings',
    method: 'GET',
    path: '/readings/{id}',
    status: 200,
    requestHash: hash,
    responseHash: hash,
  } as const
  const limiter = createRateLimiter()
  const charges = [{ limit: { name: 'readings', limit: 100_000, periodMs: 1_000 }, key: recipient }]
  let nowMs = createdAt * 1000
  return {
    'content digest, 1 KiB': microsOf(() => contentDigest(body)),
    'SHA-256, 64 bytes': microsOf(() => sha256(body.subarray(0, 64))),
    'log event as text': microsOf(() => exchangeEventBody(event)),
    'charge one rate limit': microsOf(() => limiter.charge(charges, nowMs++)),
  }
}

/** Prints the table. */
export function printParts(): void {
  const p256 = signingParts('ecdsa-p256-sha256')
  const ed25519 = signingParts('ed25519')
  const rows = Object.entries(p256).map(([name, micros]) => [name, micros.toFixed(1), (ed25519[name] ?? 0).toFixed(1)])
  const hashing = Object.entries(hashingParts()).map(([name, micros]) => [name, micros.toFixed(1), ''])
  console.log(table([['CPU µs a call', 'P-256', 'Ed25519'], ...rows, ...hashing]))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) printParts()
