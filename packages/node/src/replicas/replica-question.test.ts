/** What applications ask of replicas, and what is the same call. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ReceivedRequest } from '../http/received-request.ts'
import { fieldsToAsk, readQuestion, replicaId } from './replica-question.ts'
import type { ReplicaAddress } from './replica.ts'

const request = (fields: Record<string, string>, method = 'GET'): ReceivedRequest => ({
  method,
  authority: 'localhost',
  path: '/holder/athletes/1',
  query: '?',
  headers: new Map(Object.entries(fields)),
  remoteAddress: '127.0.0.1',
  clientKeyFingerprint: undefined,
  header: (name) => fields[name],
})
const asked = (text: string, method?: string) => readQuestion(request({ 'comity-replica': text }, method))

describe('`Comity-Replica`', () => {
  test('is one of three words, with an age', () => {
    assert.deepEqual(asked('prefer'), { mode: 'prefer', maxAgeMs: undefined, wantsOwn: false })
    assert.deepEqual(asked(' only; max-age=60 '), { mode: 'only', maxAgeMs: 60_000, wantsOwn: false })
    assert.deepEqual(asked('refresh;max-age=0'), { mode: 'refresh', maxAgeMs: 0, wantsOwn: false })
  })

  test('in any other form is refused', () => {
    for (const text of ['', 'Prefer', 'prefer;max-age=1.5', 'prefer;max-age=01', 'prefer;x=1', 'prefer, only', '?1'])
      assert.throws(() => asked(text), { code: 'malformed-request' }, text)
  })

  test('is for GET alone', () => {
    for (const method of ['POST', 'HEAD', 'DELETE'])
      assert.throws(() => asked('prefer', method), { code: 'malformed-request' })
  })
})

test('the fields to ask with are those that an answer may depend on, and no other', () => {
  const fields = fieldsToAsk(
    request({
      accept: 'text/csv',
      'comity-purpose': 'p',
      'if-none-match': '"mine"',
      authorization: 'Bearer x',
      cookie: 'a=b',
      'comity-replica': 'prefer',
    }),
  )
  assert.deepEqual(fields, { accept: 'text/csv', 'comity-purpose': 'p' })
  assert.deepEqual(fieldsToAsk(request({ accept: 'application/vnd.comity.replica+json' })), {})
})

test('the id is another for every part of the address, and none can be written into its neighbour', () => {
  const vault = { handleOf: (text: string) => text }
  const address: ReplicaAddress = {
    holder: 'h',
    product: 'p',
    path: '/x',
    query: '?',
    purpose: 'u',
    agreement: 'a',
    consent: 'c',
    subject: 's',
    actor: 'r',
    accept: 't',
    language: 'l',
  }
  const names = Object.keys(address) as (keyof ReplicaAddress)[]
  const others = names.flatMap((name) => [
    replicaId(vault, { ...address, [name]: `${address[name]}","` }),
    ...(['holder', 'product', 'path', 'query'].includes(name)
      ? []
      : [replicaId(vault, { ...address, [name]: undefined })]),
  ])
  assert.equal(new Set([replicaId(vault, address), ...others]).size, others.length + 1)
})
