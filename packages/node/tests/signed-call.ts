/** A party that sends what it likes: requests signed as a participant's own node signs them, then changed, repeated or
 *  sent elsewhere, over a bare TLS connection. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:tls'
import { contentDigest } from '@comity/core/http-signatures/content-digest'
import type { RequestParts } from '@comity/core/http-signatures/message'
import { signRequest } from '@comity/core/http-signatures/profile-request'
import { parseResponseSignature, verifyResponseSignature } from '@comity/core/http-signatures/profile-response'
import type { SigningKey } from '@comity/core/crypto/crypto'
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { didOfKeyId } from '@comity/core/identity/did'
import { findVerificationMethod } from '@comity/core/identity/did-document'
import { parseExchangeEvent, type ExchangeEvent } from '@comity/core/exchange/event'
import { problemKinds, problemType, type ProblemCode } from '@comity/core/problems'
import { testPurpose, type TestNetwork, type TestNode } from './test-network.ts'

type Fields = Readonly<Record<string, string>>

export interface CallDraft {
  readonly method: string
  readonly path: string
  /** `?…`, or `?` alone. */
  readonly query: string
  readonly authority: string
  /** Lower-case names; those of the profile are signed. */
  readonly headers: Fields
  readonly body: string
  readonly as: { readonly keyid: string; readonly key: SigningKey }
  /** Seconds since the epoch. */
  readonly createdAt: number
  readonly expiresAt: number
  readonly nonce: string
}

/** A request ready to be sent; what was signed stays in `parts` and `base`, whatever is changed afterwards. */
export interface SignedCall {
  readonly method: string
  readonly target: string
  /** Name and value, one field line each. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
  readonly parts: RequestParts
  readonly signature: string
  readonly base: string
}

export interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

/** A fresh nonce. */
export const freshNonce = (): string => randomBytes(16).toString('base64url')

/** A call of the recipient to the holder's product `items`, as the recipient's node would sign it, with changes. */
export function signCall(network: TestNetwork, changes: Partial<CallDraft> = {}): SignedCall {
  const { holder, recipient, clock } = network
  const createdAt = changes.createdAt ?? Math.floor(clock.now() / 1000)
  const draft: CallDraft = {
    method: 'GET',
    path: '/x/items/items/7',
    query: '?',
    authority: new URL(holder.url).host,
    headers: { 'comity-purpose': testPurpose },
    body: '',
    as: recipient.running.parts.foundation.identity.authenticationKey(),
    createdAt,
    expiresAt: createdAt + 30,
    nonce: freshNonce(),
    ...changes,
  }
  const hasBody = draft.body !== ''
  const fields: Fields = hasBody
    ? { 'content-type': 'application/json', 'content-digest': contentDigest(Buffer.from(draft.body)), ...draft.headers }
    : draft.headers
  return signed(draft, fields, hasBody)
}

function signed(draft: CallDraft, fields: Fields, hasBody: boolean): SignedCall {
  const { method, path, query, authority, as } = draft
  const parts = { method, authority, path, query, hasBody, scheme: 'https', header: (name: string) => fields[name] }
  const made = signRequest(parts, { ...draft, ...as })
  return {
    method,
    target: query === '?' ? path : path + query,
    headers: [
      ['host', authority],
      ...Object.entries(fields),
      ['signature-input', made.signatureInput],
      ['signature', made.signature],
    ],
    body: draft.body,
    parts,
    signature: made.signature,
    base: made.base,
  }
}

/** The call with one field line put in place of another, added, or (without a value) left out. */
export function withField(call: SignedCall, name: string, value?: string): SignedCall {
  const others = call.headers.filter(([known]) => known !== name)
  return { ...call, headers: value === undefined ? others : [...others, [name, value]] }
}

/** Sends the call to a node's public listener and reads the whole answer. `tls` may hold a client certificate. */
export async function send(
  node: TestNode,
  call: Pick<SignedCall, 'method' | 'target' | 'headers' | 'body'>,
  tls: { readonly cert?: string; readonly key?: string } = {},
): Promise<Answer> {
  const socket = connect({ host: '127.0.0.1', port: node.port, rejectUnauthorized: false, ...tls })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.setTimeout(30_000, () => socket.destroy(new Error(`no answer to ${call.method} ${call.target}`)))
  const closed = once(socket, 'close')
  const length = call.body === '' ? [] : [`content-length: ${Buffer.byteLength(call.body)}`]
  const lines = call.headers.map(([name, value]) => `${name}: ${value}`)
  const head = [`${call.method} ${call.target} HTTP/1.1`, ...lines, ...length, 'connection: close', '', '']
  socket.write(head.join('\r\n') + call.body)
  await closed
  return parseAnswer(Buffer.concat(chunks))
}

function parseAnswer(bytes: Buffer): Answer {
  const end = bytes.indexOf('\r\n\r\n')
  assert.notEqual(end, -1, `no answer: ${bytes.toString('latin1').slice(0, 200)}`)
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
    }),
  )
  return { status: Number(first.split(' ')[1]), headers, body: bytes.subarray(end + 4) }
}

/** Whether the node signed this answer to this call; throws when there is a signature that does not verify. */
export function isSigned(node: TestNode, call: SignedCall, { status, headers, body }: Answer): boolean {
  if (!headers.has('signature')) return false
  const header = (name: string) => headers.get(name)
  const response = { status, header, hasBody: body.length > 0 }
  const signature = parseResponseSignature(response, { parts: call.parts, signatureHeader: call.signature })
  assert.equal(didOfKeyId(signature.keyid), node.did)
  const use = { purpose: 'authentication', atMs: signature.created * 1000 } as const
  const document = node.running.parts.foundation.identity.document()
  verifyResponseSignature(signature, importVerifyingKey(findVerificationMethod(document, signature.keyid, use).jwk))
  return true
}

/** What the node's log says of the exchange with this id (of the event). */
export async function loggedExchange(node: TestNode, id: string): Promise<ExchangeEvent | undefined> {
  const events = await node.running.parts.auditLog.readEvents({ limit: 100_000 })
  const found = events.find((event) => event.id === id && event.type === 'exchange')
  return found?.body === undefined ? undefined : parseExchangeEvent(found.body)
}

export interface Refusal {
  readonly code: ProblemCode
  /** Whether the refusal is signed by the holder, as it is for callers that were identified. Default true. */
  readonly signed?: boolean
  /** `counted`: nobody was identified and the head was refused, which the log states in sums. Default `logged`. */
  readonly record?: 'logged' | 'counted'
}

export interface ProblemBody {
  readonly code: string
  readonly detail: string
  readonly requestId: string
  readonly [member: string]: unknown
}

/** Sends the call and holds the holder's answer to all that a refusal must be. Gives the problem and the answer. */
export async function assertRefused(
  network: TestNetwork,
  call: SignedCall,
  { code, signed: mustBeSigned = true, record = 'logged', ...tls }: Refusal & { cert?: string; key?: string },
): Promise<{ problem: ProblemBody; answer: Answer }> {
  const { holder, upstream } = network
  const calledBefore = upstream.seen.length
  const answer = await send(holder, call, tls)
  const problem = JSON.parse(answer.body.toString('utf8')) as ProblemBody
  assert.equal(problem.code, code, answer.body.toString('utf8'))
  const { status, title, remedy } = problemKinds[code]
  assert.equal(answer.status, status)
  assert.equal(answer.headers.get('content-type'), 'application/problem+json')
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.deepEqual(
    { type: problem['type'], title: problem['title'], status: problem['status'], remedy: problem['remedy'] },
    { type: problemType(code), title, status, remedy },
  )
  assert.equal(isSigned(holder, call, answer), mustBeSigned, mustBeSigned ? 'must be signed' : 'must not be signed')
  const event = await loggedExchange(holder, problem.requestId)
  if (record === 'counted') assert.equal(event, undefined)
  else {
    assert.deepEqual([event?.outcome, event?.problem, event?.status], ['denied', code, status])
    assert.equal(event?.peer !== undefined, mustBeSigned, 'names the caller exactly when it was identified')
  }
  assert.equal(upstream.seen.length, calledBefore, 'the upstream must not be called')
  return { problem, answer }
}
