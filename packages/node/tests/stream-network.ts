/** Two real nodes with a product whose answers are streamed, and what an application sees of such an answer. */
import { writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { parseExchangeEvent, type ExchangeEvent } from '@comity/core/exchange/event'
import { startTestNetwork, testPurpose, type TestNetwork, type TestNode } from './test-network.ts'

const row = {
  type: 'object',
  required: ['id', 'name'],
  properties: {
    id: { type: 'integer' },
    name: { type: 'string' },
    weight: { type: 'number' },
    isAdult: { type: 'boolean' },
    address: { type: 'object', properties: { city: { type: 'string' }, street: { type: 'string' } } },
  },
}
const list = {
  type: 'object',
  required: ['items'],
  properties: { total: { type: 'integer' }, items: { type: 'array', items: { $ref: '#/components/schemas/Row' } } },
}
const rows = { $ref: '#/components/schemas/Row' }
const parameters = [{ name: 'fields', in: 'query', schema: { type: 'string' } }]
const operation = (operationId: string, content: object) => ({
  get: { operationId, parameters, responses: { 200: { description: 'ok', content } } },
})

/** The samples' API: `/json`, `/ndjson` and `/csv` are streamed, `/whole` answers all three and is not. */
export const samplesDocument = {
  openapi: '3.1.0',
  info: { title: 'Samples', version: '1' },
  components: { schemas: { Row: row } },
  paths: {
    '/json': operation('json', { 'application/json': { schema: list } }),
    '/ndjson': operation('ndjson', { 'application/x-ndjson': { schema: rows } }),
    '/csv': operation('csv', { 'text/csv': { schema: rows } }),
    '/whole': operation('whole', {
      'application/json': { schema: list },
      'application/jsonl': { schema: rows },
      'text/csv': { schema: rows },
    }),
  },
}

/** Labels of the samples; `weight` and `address.street` have none. */
export const samplesData = {
  rows: 'items[]',
  open: ['total'],
  domains: { 'sample.identity': ['id', 'name', 'isAdult'], 'sample.place': ['address.city'] },
  requestedFields: 'fields',
  operations: { json: { stream: true }, ndjson: { stream: true }, csv: { stream: true } },
}

export interface StreamNetworkOptions {
  readonly limits?: Readonly<Record<string, unknown>>
  /** Rules of the holder's limits. */
  readonly rules?: readonly object[]
  /** Of the recipient's network. */
  readonly network?: Readonly<Record<string, unknown>>
}

/** The network with the products `samples` (partner) and `open-samples` (public), and an agreement on the first. */
export async function startStreamNetwork({
  limits = {},
  rules = [],
  network = {},
}: StreamNetworkOptions = {}): Promise<TestNetwork> {
  const started = await startTestNetwork({
    holder: (config, root) => {
      const openapi = join(root, 'samples.json')
      writeFileSync(openapi, JSON.stringify(samplesDocument))
      const [first] = config['products'] as { upstream: string; limits: object }[]
      const base = () => ({
        title: 'Samples',
        version: '1',
        upstream: first?.upstream,
        openapi,
        data: structuredClone(samplesData),
        limits: structuredClone({ ...first?.limits, ...limits }),
      })
      const streamed = [
        { id: 'samples', class: 'partner', ...base() },
        { id: 'open-samples', class: 'public', ...base() },
      ]
      config['products'] = [...(config['products'] as object[]), ...streamed]
      config['limits'] = { ...(config['limits'] as object), drainMs: 300, rules: structuredClone(rules) }
    },
    recipient: (config) => {
      config['network'] = { ...(config['network'] as object), ...network }
    },
  })
  await started.agree({ products: ['samples'] })
  return started
}

/** An answer as an application sees it. `isWhole` is false when the connection was cut before its end. */
export interface SeenAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly trailers: NodeJS.Dict<string>
  readonly text: string
  readonly isWhole: boolean
}

/** An answer of which the head has come. */
export interface OpenAnswer {
  readonly message: IncomingMessage
  /** The next bytes as text; undefined at the end, rejects when it is cut. */
  next(): Promise<string | undefined>
  /** Everything that is left. */
  rest(): Promise<SeenAnswer>
}

/** Calls `samples` at the recipient's own node unless another URL is given. */
export function open(
  { recipient }: TestNetwork,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<OpenAnswer> {
  const url = target.startsWith('http') ? target : recipient.local(`/holder/samples${target}`)
  return new Promise((resolve, reject) => {
    request(url, { agent: false, headers: { 'comity-purpose': testPurpose, ...headers } }, (message) =>
      resolve(openAnswer(message)),
    )
      .once('error', reject)
      .end()
  })
}

function openAnswer(message: IncomingMessage): OpenAnswer {
  const chunks = message.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>
  const next = async () => {
    const { done, value } = await chunks.next()
    return done === true ? undefined : value
  }
  return {
    message,
    next,
    async rest() {
      let text = ''
      let isWhole = true
      try {
        for (let part = await next(); part !== undefined; part = await next()) text += part
      } catch {
        isWhole = false
      }
      const { statusCode: status = 0, headers, trailers } = message
      return { status, headers, trailers, text, isWhole: isWhole && message.complete }
    },
  }
}

/** A whole call. */
export async function read(...call: Parameters<typeof open>): Promise<SeenAnswer> {
  return (await open(...call)).rest()
}

/** The events of exchanges in a node's log, in order. */
export async function eventsOf(node: TestNode): Promise<ExchangeEvent[]> {
  const { database } = node.running.parts.foundation
  const found = await database.all("SELECT body FROM log_entries WHERE type = 'exchange' ORDER BY position")
  return found.map(({ body }) => parseExchangeEvent(String(body)))
}

/** Waits until a node's log has another event than `before` ones, and gives those that came. */
export async function newEvents(node: TestNode, before: number, count: number): Promise<ExchangeEvent[]> {
  for (let tries = 0; ; tries++) {
    const events = (await eventsOf(node)).slice(before)
    if (events.length >= count || tries > 1_200) return events
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
