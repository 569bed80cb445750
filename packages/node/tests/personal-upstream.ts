/** A federation's API about athletes, as real as a test needs, and the personal product on it. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/** The athlete of the tests, whom the federation knows as `736041664`; `736041665` is another, with other values. */
export const athleteReference = '736041664'
export const otherReference = '736041665'

const athletes: Readonly<Record<string, object>> = {
  [athleteReference]: { id: athleteReference, name: 'Amina Rossi', height: 181, weight: 74, born: '1999-04-17' },
  [otherReference]: { id: otherReference, name: 'Jon Berg', height: 176, weight: 70, born: '2001-01-02' },
}
const results = [
  { event: 'skiff', day: '2026-10-01', rank: 3 },
  { event: 'eight', day: '2026-11-10', rank: 1 },
  { event: 'skiff', day: '2026-11-15', rank: 2 },
]

export interface AthletesApi extends AsyncDisposable {
  readonly url: string
  /** Targets that were called. */
  readonly called: string[]
  /** Answers instead. */
  behave: ((response: ServerResponse) => void) | undefined
}

export async function startAthletesApi(): Promise<AthletesApi> {
  const server = createServer((message, response) => {
    message.resume().on('end', () => {
      api.called.push(`${message.method} ${message.url}`)
      if (api.behave !== undefined) return api.behave(response)
      answer(message.url ?? '', response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const api: AthletesApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    called: [],
    behave: undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return api
}

function answer(target: string, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(target, 'http://api')
  const [, id = '', below] = /^\/athletes\/(\d+)(\/\w+)?$/.exec(pathname) ?? []
  response.setHeader('content-type', 'application/json')
  response.setHeader('etag', '"tells-of-every-field"')
  const athlete = athletes[id]
  if (athlete === undefined) return void response.writeHead(404).end(JSON.stringify({ error: `${id} is unknown` }))
  if (below === '/results') {
    const page = Number(searchParams.get('page') ?? 1)
    const items = results.slice(2 * page - 2, 2 * page)
    return void response.end(JSON.stringify({ items, total: results.length }))
  }
  if (below === '/medals') return void response.end(JSON.stringify({ items: [{ medal: 'silver' }] }))
  response.end(JSON.stringify(below === '/notes' ? { ...athlete, note: 'kept' } : athlete))
}

const content = (schema: object) => ({ 'application/json': { schema } })
const text = { type: 'string' }
const athlete = {
  type: 'object',
  properties: {
    id: text,
    name: text,
    height: { type: 'integer' },
    weight: { type: 'integer' },
    born: text,
    note: text,
  },
}
const result = { type: 'object', properties: { event: text, day: text, rank: { type: 'integer' } } }
const medal = { type: 'object', properties: { medal: text } }
const id = { name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: '^[0-9]{9}$' } }
const fields = { name: 'fields', in: 'query', schema: text }
const page = { name: 'page', in: 'query', schema: { type: 'integer', minimum: 1 } }

const athletePaths = {
  '/athletes/{id}': {
    get: {
      operationId: 'athlete',
      parameters: [id, fields],
      responses: { 200: { description: 'athlete', content: content(athlete) } },
    },
  },
  '/athletes/{id}/notes': {
    post: {
      operationId: 'note',
      parameters: [id],
      requestBody: {
        required: true,
        content: content({ type: 'object', required: ['note'], properties: { note: text } }),
      },
      responses: { 200: { description: 'noted', content: content(athlete) } },
    },
  },
}

const resultPaths = {
  '/athletes/{id}/results': {
    get: {
      operationId: 'results',
      parameters: [id, page],
      responses: {
        200: {
          description: 'results',
          content: content({
            type: 'object',
            properties: { items: { type: 'array', items: result }, total: { type: 'integer' } },
          }),
        },
      },
    },
  },
  '/athletes/{id}/medals': {
    get: {
      operationId: 'medals',
      parameters: [id],
      responses: {
        200: {
          description: 'medals',
          content: content({ type: 'object', properties: { items: { type: 'array', items: medal } } }),
        },
      },
    },
  },
}

// Made anew for each: the configuration's language has no references.
const subject = () => ({ in: 'path', name: 'id' })

/** The entries of the configuration: `athletes`, and `results`, of whose operations one gives rows with a date and one without. */
export function athletesProducts(url: string, root: string): object[] {
  const product = (name: string, paths: object) => {
    const openapi = join(root, `${name}.json`)
    writeFileSync(openapi, JSON.stringify({ openapi: '3.1.0', info: { title: name, version: '1.0.0' }, paths }))
    const limits = { rate: { requests: 100_000, perSeconds: 1 } }
    return { id: name, title: name, version: '1.0.0', class: 'personal', upstream: url, openapi, limits }
  }
  return [
    {
      ...product('athletes', athletePaths),
      personal: {
        subject: subject(),
        requestedFields: 'fields',
        domains: { identity: ['name', 'born'], 'sport.body': ['height', 'weight'], 'sport.notes': ['note'] },
      },
    },
    {
      ...product('results', resultPaths),
      personal: {
        subject: subject(),
        rows: 'items[]',
        operations: { results: { date: 'day', open: ['total'] } },
        domains: { 'sport.results': ['event', 'day', 'rank'], 'sport.medals': ['medal'] },
      },
    },
  ]
}
