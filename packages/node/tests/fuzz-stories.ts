/** What is damaged, and what must come of it. Each story runs for as long as it is given. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { parse, stringify } from 'yaml'
import { agreementTerminated } from '@comity/core/events/event-types'
import { signSecurityEvent } from '@comity/core/events/security-event'
import { Problem } from '@comity/core/problems'
import { loadConfig } from '../src/config/config.ts'
import { assertNoFault, codeOf, fuzzSeed, talk, type FuzzTarget, type Place, type ReadAnswer } from './fuzz-kit.ts'
import { damage, distortion, fuzz } from './fuzz-mutations.ts'
import { signCall, type SignedCall } from './signed-call.ts'
import { testPurpose } from './test-network.ts'

const atOnce = 24
/** Waits for the answer, and not for long when the message is one that the node waits for the rest of. */
const whole = { endAfterMs: 100, patienceMs: 30_000 }

function property<T>(drawn: fc.Arbitrary<T>, check: (value: T) => Promise<void>) {
  const many = fc.array(drawn, { minLength: atOnce, maxLength: atOnce })
  return fc.asyncProperty(many, async (values) => void (await Promise.all(values.map(check))))
}

/** Any damage to whole messages, on every listener. */
export async function fuzzBytes({ places, authority }: FuzzTarget, ms: number): Promise<void> {
  const local = `127.0.0.1:${places.local.port}`
  const admin = `127.0.0.1:${places.admin.port}`
  const messages: readonly (readonly [Place, string])[] = [
    [places.public, `GET /x/open-items/items/7 HTTP/1.1\r\nHost: ${authority}\r\nAccept: application/json\r\n\r\n`],
    [places.public, `GET /x/open-items/items?limit=3 HTTP/1.1\r\nHost: ${authority}\r\n\r\n`],
    [places.public, `GET /log/tile/entries/000.p/5 HTTP/1.1\r\nHost: ${authority}\r\nIf-None-Match: "a"\r\n\r\n`],
    [places.public, `GET /receipts/0190a7f0-0000-7000-8000-000000000000/proof HTTP/1.1\r\nHost: ${authority}\r\n\r\n`],
    [
      places.public,
      `POST /events HTTP/1.1\r\nHost: ${authority}\r\nContent-Type: application/secevent+jwt\r\nContent-Length: 5\r\n\r\na.b.c`,
    ],
    [places.local, `GET /nobody/items/items/7 HTTP/1.1\r\nHost: ${local}\r\nComity-Purpose: x\r\n\r\n`],
    [
      places.local,
      `POST /nobody/items/items HTTP/1.1\r\nHost: ${local}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    ],
    [places.admin, `GET /v1/status HTTP/1.1\r\nHost: ${admin}\r\nAuthorization: Bearer abc\r\n\r\n`],
    [places.admin, `GET /metrics HTTP/1.1\r\nHost: ${admin}\r\n\r\n`],
  ]
  const drawn = fc.tuple(fc.constantFrom(...messages), damage)
  const check = async ([[place, message], change]: [readonly [Place, string], (bytes: Buffer) => Buffer]) => {
    const bytes = change(Buffer.from(message, 'latin1'))
    const answered = await talk(place, [bytes], whole)
    assertNoFault(answered, () => JSON.stringify(bytes.toString('latin1')))
    assert.ok(answered.isClosed, `no end after ${JSON.stringify(bytes.toString('latin1'))}`)
  }
  await fuzz(property(drawn, check), { ms: ms, seed: fuzzSeed() })
}

type Part = 'target' | 'body' | 'method' | string

/** Puts `piece` over the covered part's text at `at`. Gives undefined when that changes nothing. */
function tamper(call: SignedCall, part: Part, edit: { at: number; piece: string }): SignedCall | undefined {
  const change = (text: string): string => {
    const start = Math.floor(edit.at * text.length)
    return text.slice(0, start) + edit.piece + text.slice(start + edit.piece.length)
  }
  if (part === 'target' || part === 'body' || part === 'method') {
    const text = change(call[part])
    return text === call[part] ? undefined : { ...call, [part]: text }
  }
  const headers = call.headers.map(([name, value]) => [name, name === part ? change(value) : value] as const)
  return JSON.stringify(headers) === JSON.stringify(call.headers) ? undefined : { ...call, headers }
}

function wireOf({ method, target, headers, body }: SignedCall): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}`)
  const length = body === '' ? [] : [`content-length: ${Buffer.byteLength(body)}`]
  return Buffer.from(
    [`${method} ${target} HTTP/1.1`, ...lines, ...length, 'connection: close', '', ''].join('\r\n') + body,
  )
}

/** One changed character in anything that is signed is a refusal; so is any other damage, or it changes nothing. */
export async function fuzzSignedCalls({ places, network }: FuzzTarget, ms: number): Promise<void> {
  const write = {
    method: 'POST',
    path: '/x/items/items',
    headers: { 'comity-purpose': testPurpose, 'content-type': 'application/json' },
    body: '{"name":"fuzz"}',
  }
  const parts = ['target', 'body', 'method', 'signature-input', 'signature', 'content-digest', 'comity-purpose', 'host']
  const letters = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_./:=+"%?&{}'), minLength: 1, maxLength: 3 })
  const tampering = fc.record({
    part: fc.constantFrom(...parts),
    at: fc.double({ min: 0, max: 0.999, noNaN: true }),
    piece: letters,
  })
  const check = async ({ part, at, piece }: { part: string; at: number; piece: string }): Promise<void> => {
    const call = tamper(signCall(network, write), part, { at, piece })
    if (call === undefined) return
    const answered = await talk(places.public, [wireOf(call)], whole)
    const what = () => `${part} ${JSON.stringify(wireOf(call).toString('latin1'))}`
    assertNoFault(answered, what)
    for (const { status } of answered.answers) assert.ok(status >= 400, `a changed request was answered: ${what()}`)
  }
  await fuzz(property(tampering, check), { ms: ms / 2, seed: fuzzSeed() })
  const checkDamage = async (change: (bytes: Buffer) => Buffer): Promise<void> => {
    const bytes = change(wireOf(signCall(network, write)))
    assertNoFault(await talk(places.public, [bytes], whole), () => JSON.stringify(bytes.toString('latin1')))
  }
  await fuzz(property(damage, checkDamage), { ms: ms / 2, seed: fuzzSeed() })
}

/** RFC 8935 §2.3: an error object, unless HTTP itself was refused. */
function assertEventAnswer({ status, headers, body }: ReadAnswer): void {
  if (status === 202) return
  if (headers.get('content-type') !== 'application/json') return void codeOf({ status, headers, body })
  assert.equal(status, 400)
  assert.match(String((JSON.parse(body) as { err: unknown }).err), /^(invalid_|authentication_failed|access_denied)/)
}

/** Damaged Security Event Tokens are never taken. */
export async function fuzzEvents({ places, network, authority }: FuzzTarget, ms: number): Promise<void> {
  const { holder, recipient } = network
  const { identity, world } = recipient.running.parts.foundation
  let tokens = 0
  const check = async (change: (bytes: Buffer) => Buffer): Promise<void> => {
    const iat = Math.floor(world.clock.now() / 1000)
    const payload = { agreement: 'urn:uuid:0190a7f0-0000-7000-8000-000000000000', reason: 'fuzz' }
    const claims = {
      iss: recipient.did,
      aud: holder.did,
      jti: `fuzz-${tokens++}`,
      iat,
      events: { [agreementTerminated]: payload },
    }
    const token = Buffer.from(signSecurityEvent(claims, identity.assertionKey()))
    const body = change(token)
    const head = `POST /events HTTP/1.1\r\nHost: ${authority}\r\nContent-Type: application/secevent+jwt\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`
    const answered = await talk(places.public, [Buffer.concat([Buffer.from(head), body])], whole)
    assertNoFault(answered, () => body.toString('latin1'))
    for (const answer of answered.answers) {
      assertEventAnswer(answer)
      if (answer.status === 202) assert.deepEqual(body, token, 'a damaged token was taken')
    }
  }
  await fuzz(property(damage, check), { ms: ms, seed: fuzzSeed() })
}

/** Distorted input of the operator: told what is wrong, or done; the node is never at fault. */
export async function fuzzAdmin({ places, network }: FuzzTarget, ms: number): Promise<void> {
  const { holder, recipient } = network
  const token = (await readFile(join(holder.directory, 'keys', 'admin.token'), 'utf8')).trim()
  const { agreements } = holder.running.parts.counterparts
  const [record] = agreements.list()
  const { envelope } = agreements.show(record?.id ?? '')
  const draft = {
    partner: 'recipient',
    role: 'holder',
    products: ['items'],
    purposes: [testPurpose],
    notAfter: '2030-01-01',
  }
  const partner = { alias: 'other', did: recipient.did, url: recipient.url, fingerprints: [recipient.fingerprint] }
  const product = {
    product: { id: 'more', title: 'More', version: '1', class: 'public', upstream: network.upstream.url },
    openapi: { openapi: '3.1.0', info: { title: 'a', version: '1' }, paths: {} },
  }
  const inputs: readonly (readonly [string, unknown])[] = [
    ['/v1/agreements', envelope],
    ['/v1/agreements/sign', envelope],
    ['/v1/agreements/draft', draft],
    [`/v1/agreements/${encodeURIComponent('urn:nothing')}/terminate`, { reason: 'over' }],
    ['/v1/partners', partner],
    ['/v1/products', product],
    ['/v1/keys/rotate', { purposes: ['nothing'] }],
  ]
  const { port } = places.admin
  const ask = async (path: string, body: string): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body,
    })
    const text = await response.text()
    assert.ok(response.status < 500, `${response.status} ${text} for ${path} ${body}`)
    if (response.status >= 400) codeOf({ status: response.status, headers: new Map(response.headers), body: text })
  }
  const distorted = fc.tuple(fc.constantFrom(...inputs), distortion)
  await fuzz(
    property(distorted, ([[path, value], change]) => ask(path, JSON.stringify(change(value)) ?? '')),
    { ms: ms / 2, seed: fuzzSeed() },
  )
  const damaged = fc.tuple(fc.constantFrom(...inputs), damage)
  await fuzz(
    property(damaged, ([[path, value], change]) =>
      ask(path, change(Buffer.from(JSON.stringify(value))).toString('utf8')),
    ),
    { ms: ms / 2, seed: fuzzSeed() },
  )
}

/** A damaged configuration is refused whole, with reasons, or is one that can run; nothing else happens. */
export async function fuzzConfig(configFile: string, ms: number): Promise<void> {
  const good = await readFile(configFile)
  const values: unknown = parse(good.toString('utf8'))
  const file = `${configFile}.fuzzed.yaml`
  const load = async (bytes: Uint8Array | string): Promise<void> => {
    await writeFile(file, bytes)
    const before = process.cpuUsage()
    try {
      await loadConfig(file, {})
    } catch (error) {
      assert.ok(error instanceof Problem && error.code === 'config-invalid', error instanceof Error ? error.stack : '')
    }
    const { user } = process.cpuUsage(before)
    assert.ok(user < 5_000_000, 'it takes too long')
  }
  await fuzz(
    fc.asyncProperty(damage, (change) => load(change(good))),
    { ms: ms / 2, seed: fuzzSeed() },
  )
  await fuzz(
    fc.asyncProperty(distortion, (change) => load(stringify(change(values) ?? null))),
    { ms: ms / 2, seed: fuzzSeed() },
  )
}
