/** Two real nodes, and clients of the holder with API keys: how they are issued, presented and signed with. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { contentDigest } from '@comity/core/http-signatures/content-digest'
import { signWithApiKey } from '@comity/core/http-signatures/profile-key'
import { problemKinds, type ProblemCode } from '@comity/core/problems'
import { clientRequestSchema } from '../src/api-keys/client.ts'
import { keyRequestSchema } from '../src/api-keys/api-key-record.ts'
import type { ApiKeys } from '../src/api-keys/api-keys.ts'
import { send, type Answer, type ProblemBody, type SignedCall } from './signed-call.ts'
import {
  startTestNetwork,
  testPurpose,
  type TestNetwork,
  type TestNetworkOptions,
  type TestNode,
} from './test-network.ts'

type Fields = Readonly<Record<string, string>>
type Config = Record<string, unknown>

export interface IssuedTestKey {
  readonly id: string
  readonly text: string
}

/** The products of the holder, by id, in its configuration. */
export function productsIn(config: Config): Record<string, Config> {
  return Object.fromEntries((config['products'] as Config[]).map((product) => [product['id'], product]))
}

/** A network whose product `items` takes keys of every kind, with an agreement in force. */
export async function startKeyNetwork(
  { holder, ...options }: TestNetworkOptions = {},
  products: readonly string[] = ['items'],
): Promise<TestNetwork> {
  const network = await startTestNetwork({
    ...options,
    holder(config, root) {
      Object.assign(config['limits'] as object, { failures: { requests: 1_000_000, perSeconds: 1 } })
      const { items = {} } = productsIn(config)
      items['keys'] = 'plain'
      holder?.(config, root)
    },
  })
  await network.agree({ products })
  return network
}

/** The API keys of a node. */
export async function keysOf(node: TestNode): Promise<ApiKeys> {
  return node.running.parts.apiKeys.load()
}

/** A client of the node; a service of the partner `recipient` unless told. */
export async function addClient(node: TestNode, client: object = {}): Promise<string> {
  const request = { id: 'billing', kind: 'service', participant: 'recipient', ...client }
  return (await (await keysOf(node)).clients.add(clientRequestSchema.parse(request))).id
}

/** A key of a client, `billing` unless told. */
export async function issueKey(node: TestNode, request: object = {}, client = 'billing'): Promise<IssuedTestKey> {
  const { record, text } = await (await keysOf(node)).keys.issue(client, keyRequestSchema.parse(request))
  return { id: record.id, text }
}

export interface KeyedDraft {
  readonly method?: string
  readonly path?: string
  /** `?…`, or `?` alone. */
  readonly query?: string
  readonly headers?: Fields
  readonly body?: string
}

type Sent = Pick<SignedCall, 'method' | 'target' | 'headers' | 'body'>

interface Drafted extends Sent {
  readonly fields: Fields
  readonly draft: Required<KeyedDraft>
  readonly authority: string
}

function drafted(node: TestNode, changes: KeyedDraft): Drafted {
  const draft = { method: 'GET', path: '/x/items/items/7', query: '?', headers: {}, body: '', ...changes }
  const { method, path, query, body } = draft
  const authority = new URL(node.url).host
  const typed = body === '' ? {} : { 'content-type': 'application/json' }
  const fields = { 'comity-purpose': testPurpose, ...typed, ...draft.headers }
  const headers = [['host', authority], ...Object.entries(fields)] as [string, string][]
  return { method, target: query === '?' ? path : path + query, headers, body, fields, draft, authority }
}

/** A call that presents a key. */
export function presentKey(node: TestNode, key: string, changes: KeyedDraft = {}): Sent {
  const call = drafted(node, changes)
  return { ...call, headers: [...call.headers, ['authorization', `Bearer ${key}`]] }
}

/** A call without any credential. */
export function bareCall(node: TestNode, changes: KeyedDraft = {}): Sent {
  return drafted(node, changes)
}

export interface MacTimes {
  readonly createdAt?: number
  readonly nonce?: string
}

/** A call that is signed with a key. */
export function signWithKey(
  network: Pick<TestNetwork, 'holder' | 'clock'>,
  { text }: IssuedTestKey,
  { createdAt = Math.floor(network.clock.now() / 1000), nonce = newNonce(), ...changes }: KeyedDraft & MacTimes = {},
): Sent {
  const { fields: bare, draft, authority, ...call } = drafted(network.holder, changes)
  const { method, path, query, body } = draft
  const digest = body === '' ? {} : { 'content-digest': contentDigest(Buffer.from(body)) }
  const fields: Fields = { ...bare, ...digest }
  const parts = { method, authority, path, query, hasBody: body !== '', header: (name: string) => fields[name] }
  const made = signWithApiKey(parts, { apiKey: text, createdAt, expiresAt: createdAt + 30, nonce })
  const headers = [
    ['host', authority],
    ...Object.entries(fields),
    ['signature-input', made.signatureInput],
    ['signature', made.signature],
  ] as [string, string][]
  return { ...call, headers }
}

/** A fresh nonce. */
export const newNonce = (): string => randomBytes(16).toString('base64url')

/** Sends the call; it must be answered with this status. */
export async function answered(node: TestNode, call: Sent, status = 200): Promise<Answer> {
  const answer = await send(node, call)
  assert.equal(answer.status, status, answer.body.toString('utf8'))
  return answer
}

/** Sends the call; it must be refused with this code, and the upstream not called. */
export async function refusedFor(network: TestNetwork, call: Sent, code: ProblemCode): Promise<ProblemBody> {
  const calledBefore = network.upstream.seen.length
  const answer = await send(network.holder, call)
  const problem = JSON.parse(answer.body.toString('utf8')) as ProblemBody
  assert.equal(problem.code, code, answer.body.toString('utf8'))
  assert.equal(answer.status, problemKinds[code].status)
  assert.equal(network.upstream.seen.length, calledBefore, 'the upstream must not be called')
  return problem
}
