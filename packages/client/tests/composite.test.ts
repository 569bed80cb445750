/** Composites of an application: what its node is asked, and what the application reads of each part. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem, problemDocument } from '@comity/core/problems'
import { ComityError, createComityClient } from '@comity/client'
import { answerJson, answerProblem, exchangeId, receipt, startLoopbackNode, type Behaviour } from './loopback-node.ts'

async function started(behave: Behaviour) {
  const node = await startLoopbackNode(behave)
  const comity = createComityClient({ node: node.url, purpose: 'https://p.example/research', agreement: 'urn:uuid:1' })
  return { node, comity, [Symbol.asyncDispose]: node[Symbol.asyncDispose] }
}

const proof = { partner: 'did:web:federation.example', exchange: exchangeId, receipt }
const athlete = { partner: 'federation', product: 'athletes', path: '/athletes/{id}', values: { id: 'a/b' } }

test('asks for every part in one call, each path and query filled in, and nothing that was not given', async () => {
  await using kit = await started((_, reply) => {
    answerJson(reply, { parts: { one: { status: 204 } }, exchanges: [] })
  })
  await kit.comity.composite({
    one: { ...athlete, query: { fields: ['name', 'born'], page: undefined }, consent: 'urn:uuid:c' },
    two: { partner: 'club', product: 'items', path: '/items', purpose: 'https://p.example/billing' },
  })
  const [seen] = kit.node.seen
  assert.deepEqual([seen?.method, seen?.url], ['POST', '/~composite'])
  assert.equal(seen?.headers['comity-purpose'], 'https://p.example/research')
  // An agreement is one with one partner: that of the client is not that of every part.
  assert.equal(seen?.headers['comity-agreement'], undefined)
  const one = { partner: 'federation', product: 'athletes', path: '/athletes/a%2Fb' }
  assert.deepEqual(JSON.parse(seen?.body ?? ''), {
    parts: {
      one: { ...one, query: 'fields=name&fields=born', consent: 'urn:uuid:c' },
      two: { partner: 'club', product: 'items', path: '/items', purpose: 'https://p.example/billing' },
    },
  })
})

test('each part has its own answer or its own error, with the receipt of who gave it', async () => {
  const refusal = problemDocument(new Problem('consent-required', 'no consent covers this call'))
  await using kit = await started((_, reply) => {
    const parts = {
      json: { status: 200, type: 'application/json', body: { name: 'Amina' }, withheld: ['born'] },
      csv: { status: 200, type: 'text/csv', text: 'a,b\n1,2\n' },
      bytes: { status: 200, type: 'image/png', base64: 'AP8=' },
      empty: { status: 204 },
      refused: { status: 403, type: 'application/problem+json', problem: refusal },
      missing: { status: 404, type: 'application/json', body: { error: 'unknown' } },
      down: { status: 502, type: 'application/problem+json', problem: { code: 'partner-unreachable' } },
    }
    answerJson(reply, { parts, exchanges: [{ ...proof, parts: Object.keys(parts).filter((name) => name !== 'down') }] })
  })
  const names = ['json', 'csv', 'bytes', 'empty', 'refused', 'missing', 'down'] as const
  const { parts, exchanges } = await kit.comity.composite(
    Object.fromEntries(names.map((name) => [name, athlete])) as Record<(typeof names)[number], typeof athlete>,
  )
  const { json, csv, bytes, empty, refused, missing, down } = parts
  assert.deepEqual(json, {
    ok: true,
    status: 200,
    type: 'application/json',
    data: { name: 'Amina' },
    withheld: ['born'],
  })
  assert.ok(csv.ok && bytes.ok && empty.ok)
  assert.deepEqual([csv.data, bytes.data, empty.data], ['a,b\n1,2\n', Uint8Array.of(0, 255), undefined])
  assert.ok(!refused.ok && !missing.ok && !down.ok)
  assert.ok(refused.error instanceof ComityError)
  const { code, status, remedy, receipt: of } = refused.error
  assert.deepEqual([code, status, remedy, of?.jws], ['consent-required', 403, refusal.remedy, receipt])
  assert.deepEqual([missing.error.code, missing.error.document], ['error-status', { error: 'unknown' }])
  assert.deepEqual([down.error.code, down.error.receipt], ['partner-unreachable', undefined])
  assert.deepEqual(
    exchanges.map(({ partner, exchangeId: id }) => [partner, id]),
    [[proof.partner, exchangeId]],
  )
})

test('a refusal of the whole is thrown; what passes is tried again, since a composite only reads', async () => {
  await using mixed = await started((_, reply) =>
    answerProblem(reply, new Problem('composite-mixed', 'the parts for one partner are about different people')),
  )
  await assert.rejects(mixed.comity.composite({ one: athlete }), { code: 'composite-mixed' })
  assert.equal(mixed.node.seen.length, 1)
  await using busy = await started((_, reply, count) => {
    if (count === 0) answerProblem(reply, new Problem('record-failed', 'the storage did not take the record'))
    else answerJson(reply, { parts: { one: { status: 204 } }, exchanges: [] })
  })
  assert.equal((await busy.comity.composite({ one: athlete })).parts.one.ok, true)
  assert.equal(busy.node.seen.length, 2)
})

test('a path that would leave its product is refused before anything is sent', async () => {
  await using kit = await started((_, reply) => answerJson(reply, {}))
  const call = kit.comity.composite({ one: { ...athlete, path: '/../x' } })
  await assert.rejects(call, { code: 'invalid-call' })
  assert.equal(kit.node.seen.length, 0)
})
