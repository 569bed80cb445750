/** The types that a caller sees; `npm run types` is what judges most of this file. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createComityClient, type Answer, type DataOf } from '@comity/client'
import { answerJson, startLoopbackNode } from './loopback-node.ts'

interface Athlete {
  id: number
  name: string
}

/** As openapi-typescript 7 writes it. */
interface paths {
  '/athletes': {
    parameters: { query?: never; header?: never; path?: never; cookie?: never }
    get: operations['listAthletes']
    put?: never
    post: operations['addAthlete']
    delete?: never
    options?: never
    head: operations['listAthletes']
    patch?: never
    trace?: never
  }
  '/athletes/{id}': {
    parameters: { query?: never; header?: never; path: { id: number }; cookie?: never }
    get: operations['readAthlete']
    put?: never
    post?: never
    delete: {
      parameters: { query?: never }
      requestBody?: never
      responses: { 204: { headers: object; content?: never } }
    }
    options?: never
    head?: never
    patch: {
      parameters: { query?: never; header?: never; path: { id: number }; cookie?: never }
      requestBody?: { content: { 'application/merge-patch+json': Partial<Athlete> } }
      responses: { default: { headers: object; content: { 'application/json': Athlete } } }
    }
  }
  '/search': {
    get: {
      parameters: { query: { q: string; limit?: number; ids?: number[] } }
      responses: { '2XX': { content: { 'application/json; charset=utf-8': string[] } } }
    }
  }
}

interface operations {
  listAthletes: {
    parameters: { query?: { nationality?: string }; header?: { 'x-a'?: string }; path?: never; cookie?: never }
    requestBody?: never
    responses: {
      200: { headers: { [name: string]: unknown }; content: { 'application/json': Athlete[] } }
      206: { headers: { [name: string]: unknown }; content: { 'application/json': { part: Athlete[] } } }
      400: { headers: { [name: string]: unknown }; content: { 'application/problem+json': { title: string } } }
    }
  }
  addAthlete: {
    parameters: { query?: never; header?: never; path?: never; cookie?: never }
    requestBody: { content: { 'application/json': Athlete } }
    responses: { 201: { headers: object; content: { 'application/json': Athlete; 'text/html': string } } }
  }
  readAthlete: {
    parameters: { query?: never; header?: never; path: { id: number }; cookie?: never }
    requestBody?: never
    responses: { 200: { headers: object; content: { 'application/json': Athlete } } }
  }
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only when the value's type is the expected one. */
function has<Expected>() {
  return <Actual>(value: Actual & (Same<Actual, Expected> extends true ? unknown : never)) => value
}

async function rightCalls(node: string): Promise<number> {
  const comity = createComityClient({ node })
  const athletes = comity.product<paths>('federation', 'athletes')
  const read = await athletes.get('/athletes/{id}', { path: { id: 7 }, timeoutMs: 1_000 })
  const list = await athletes.get('/athletes', { query: { nationality: 'KEN' } })
  const all = await athletes.get('/athletes')
  const found = await athletes.get('/search', { query: { q: 'x', ids: [1, 2] } })
  const added = await athletes.post('/athletes', { body: { id: 7, name: 'x' }, idempotencyKey: 'auto' })
  const patched = await athletes.patch('/athletes/{id}', { path: { id: 7 }, body: { name: 'y' } })
  const removed = await athletes.delete('/athletes/{id}', { path: { id: 7 } })
  const headed = await athletes.head('/athletes')
  has<Answer<Athlete>>()(read)
  has<Answer<Athlete[] | { part: Athlete[] }>>()(list)
  has<Answer<string[]>>()(found)
  has<Answer<Athlete>>()(added)
  has<Answer<Athlete>>()(patched)
  has<Answer<undefined>>()(removed)
  has<Answer<undefined>>()(headed)
  has<DataOf<paths, '/athletes/{id}', 'get'>>()(read.data)
  const loose = comity.product('federation', 'athletes')
  const untyped = await loose.get('/athletes/{id}', { path: { id: '7' }, query: { any: true } })
  has<Answer<unknown>>()(untyped)
  const named = await loose.get<Athlete>('/athletes/7')
  has<Answer<Athlete>>()(named)
  return [all, await athletes.request('GET', '/athletes/{id}/photo', { path: { id: 7 } })].length + 9
}

/** Never called: each line must be an error. */
export function wrongCalls(): void {
  const comity = createComityClient({ node: 'http://127.0.0.1:8081' })
  const athletes = comity.product<paths>('federation', 'athletes')
  // @ts-expect-error the check of types itself sees a difference
  has<Athlete[]>()({} as Athlete)
  // @ts-expect-error a path that is not described
  void athletes.get('/medals')
  // @ts-expect-error a method that the path does not have
  void athletes.put('/athletes', { body: {} })
  // @ts-expect-error no options where the path needs a value
  void athletes.get('/athletes/{id}')
  // @ts-expect-error a path value of another type
  void athletes.get('/athletes/{id}', { path: { id: 'seven' } })
  // @ts-expect-error the path item's own parameters count where the operation has none
  void athletes.delete('/athletes/{id}')
  // @ts-expect-error a query parameter that is not described
  void athletes.get('/athletes', { query: { color: 'red' } })
  // @ts-expect-error a required query parameter is missing
  void athletes.get('/search', { query: { limit: 1 } })
  // @ts-expect-error a body where none belongs
  void athletes.get('/athletes', { body: {} })
  // @ts-expect-error a required body is missing
  void athletes.post('/athletes')
  // @ts-expect-error a body of another shape
  void athletes.post('/athletes', { body: { id: 7 } })
  // @ts-expect-error an option that does not exist
  void athletes.get('/athletes', { timeout: 5 })
}

test('calls with the types of openapi-typescript compile and run, and wrong ones do not compile', async () => {
  await using node = await startLoopbackNode((seen, reply) =>
    answerJson(reply, seen.method === 'HEAD' ? undefined : {}),
  )
  assert.equal(await rightCalls(node.url), node.seen.length)
})
