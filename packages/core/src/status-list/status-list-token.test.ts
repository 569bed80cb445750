import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { generatePrivateJwk, importSigningKey, importVerifyingKey } from '#crypto'
import type { PublicJwk } from '../crypto/crypto.ts'
import { signCompactJws } from '../jws/compact.ts'
import { Problem } from '../problems.ts'
import {
  parseStatusList,
  signStatusList,
  statusListType,
  verifyStatusList,
  type StatusListClaims,
} from './status-list-token.ts'

const url = new URL('../../../../vectors/status-list/status-list.json', import.meta.url)
const { token: vector } = JSON.parse(readFileSync(url, 'utf8')) as {
  token: { jwt: string; jwk: PublicJwk; claims: StatusListClaims; header: { kid: string } }
}

const key = importSigningKey(generatePrivateJwk('ed25519'))
const verifyingKey = importVerifyingKey(key.publicJwk)
const keyid = 'did:web:lab.example#key-1'
const now = 1_718_000_000
const uri = 'https://lab.example/status/1'
const claims: StatusListClaims = {
  sub: uri,
  iat: now,
  exp: now + 600,
  ttl: 30,
  status_list: { bits: 2, lst: 'eNo76fITAAPfAgc' },
}
const facts = { uri, nowMs: now * 1000, skewSeconds: 5 }

function verify(text: string, changes: Partial<typeof facts> = {}) {
  return verifyStatusList(parseStatusList(text), verifyingKey, { ...facts, ...changes })
}

function refuses(run: () => unknown, words: RegExp = /./): void {
  assert.throws(run, (error) => {
    assert(error instanceof Problem, String(error))
    assert.equal(error.code, 'status-list-invalid')
    assert.match(error.message, words)
    return true
  })
}

function signed(changes: object, typ = statusListType): string {
  const payload = JSON.stringify({ ...claims, ...changes })
  return signCompactJws({ key, header: { typ, kid: keyid }, payload })
}

test('reads and verifies the token of the draft (§5.1)', () => {
  const parsed = parseStatusList(vector.jwt)
  assert.deepEqual(parsed.claims, vector.claims)
  assert.equal(parsed.kid, vector.header.kid)
  const nowMs = (vector.claims.iat + 60) * 1000
  const verified = verifyStatusList(parsed, importVerifyingKey(vector.jwk), {
    uri: 'https://example.com/statuslists/1',
    nowMs,
    skewSeconds: 0,
  })
  assert.equal(verified.usableUntilMs, nowMs + 43_200_000)
})

test('what is signed is verified, and may be used for `ttl` but never beyond `exp`', () => {
  const token = signStatusList(claims, { keyid, key })
  assert.deepEqual(verify(token), { claims, usableUntilMs: (now + 30) * 1000 })
  assert.equal(verify(token, { nowMs: (now + 590) * 1000, skewSeconds: 0 }).usableUntilMs, (now + 600) * 1000)
})

test('refuses an expired token and one of the future, to the second', () => {
  const token = signStatusList(claims, { keyid, key })
  verify(token, { nowMs: (now + 605) * 1000 - 1 })
  refuses(() => verify(token, { nowMs: (now + 605) * 1000 }), /expired/)
  verify(token, { nowMs: (now - 5) * 1000 })
  refuses(() => verify(token, { nowMs: (now - 5) * 1000 - 1 }), /future/)
})

test('refuses the token of another list', () => {
  refuses(() => verify(signed({ sub: 'https://lab.example/status/2' })), /another list/)
})

test('refuses a token that another signed', () => {
  const other = importVerifyingKey(importSigningKey(generatePrivateJwk('ed25519')).publicJwk)
  refuses(() => verifyStatusList(parseStatusList(signed({})), other, facts), /verify/)
})

test('refuses another type and other shapes', () => {
  refuses(() => parseStatusList(signed({}, 'JWT')))
  for (const changes of [
    { status_list: { bits: 3, lst: 'AA' } },
    { status_list: { bits: '2', lst: 'AA' } },
    { status_list: { bits: 2 } },
    { status_list: undefined },
    { iat: undefined },
    { ttl: 0 },
    { ttl: -1 },
    { exp: '2026-01-01' },
    { sub: '' },
  ]) {
    refuses(() => parseStatusList(signed(changes)), /malformed/)
  }
  for (const text of ['', '..', `${signed({})}.`, signed({}).replace('.', '..')]) refuses(() => parseStatusList(text))
})
