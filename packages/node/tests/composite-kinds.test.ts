/** Parts of other kinds in a composite: answers by reference, streamed products, rows as text, sealed answers. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CompositeExplanationView } from '../src/admin/policy-api.ts'
import { adminOf } from './admin-call.ts'
import { bodyOf, codesOf, composite, compositeCall, research, type PartDraft } from './composite-calls.ts'
import { giveConsent, startPersonalNetwork, tokenFor } from './personal-network.ts'
import { athleteReference } from './personal-upstream.ts'
import { loggedExchange, send } from './signed-call.ts'
import { decisionOf, putPolicies } from './policy-network.ts'
import { startSealingNetwork } from './sealing-network.ts'
import { startStreamNetwork } from './stream-network.ts'
import { testPurpose } from './test-network.ts'

describe('a part', () => {
  test('whose answer is promised by reference is a reference, which another composite resolves once', async () => {
    const references = { operations: ['athlete'], seconds: 120 }
    await using network = await startPersonalNetwork({ athletes: { references } })
    const authorization = await tokenFor(network, await giveConsent(network))
    const part = (path: string): PartDraft => ({ product: 'athletes', path, purpose: research, authorization })
    const promised = await composite(network, { a: part(`/athletes/${athleteReference}`) })
    assert.equal(promised.slices.get('a')?.type, 'application/vnd.comity.reference+json')
    assert.deepEqual(network.api.called, [])
    const { reference } = bodyOf(promised, 'a') as { reference: string }
    const path = new URL(reference).pathname.slice('/x/athletes'.length)
    const resolved = await composite(network, { a: part(path), b: part(path) })
    assert.deepEqual(Object.values(codesOf(resolved)).toSorted(), ['200', 'reference-invalid'])
    assert.deepEqual(codesOf(await composite(network, { a: part(path) })), { a: 'reference-invalid' })
    const event = await loggedExchange(network.holder, resolved.id)
    assert.equal(event?.parts?.find(({ status }) => status === 200)?.reference, `${promised.id}.a`)
  })

  test('of an operation that streams is read whole', async () => {
    await using network = await startStreamNetwork()
    const part = (path: string): PartDraft => ({ product: 'samples', path, purpose: testPurpose })
    network.upstream.behave = (request, response) => {
      const isCsv = request.url === '/csv'
      response.setHeader('content-type', isCsv ? 'text/csv' : 'application/json')
      response.end(isCsv ? 'id,name,weight\n1,Amina,74\n' : '{"items":[{"id":12345678901234567890,"name":"A"}]}')
    }
    const seen = await composite(network, { json: part('/json'), csv: part('/csv') })
    assert.deepEqual(codesOf(seen), { json: '200', csv: '200' })
    assert.equal(seen.answer.headers.get('trailer'), undefined)
    const [json, csv] = [seen.slices.get('json')?.content, seen.slices.get('csv')?.content]
    assert.match(json?.as === 'body' ? json.json : '', /12345678901234567890/, 'every digit')
    assert.match(csv?.as === 'text' ? csv.text : '', /^id,name\r?\n1,Amina\r?\n$/)
  })
})

describe('a composite of products that seal', () => {
  const parts = { a: { partner: 'holder', product: 'items', path: '/items/7' } }

  test('leaves sealed as a whole, and nobody on the way reads a slice', async () => {
    await using network = await startSealingNetwork({ answers: 'required', requests: 'offered' })
    const answer = await network.call('/~composite', { method: 'POST', body: JSON.stringify({ parts }) })
    const text = await answer.text()
    assert.deepEqual(codesOf(await asSlices(text)), { a: '200' }, text)
    const [exchange] = (JSON.parse(text) as { exchanges: { exchange: string }[] }).exchanges
    const event = await loggedExchange(network.recipient, exchange?.exchange ?? '')
    assert.ok(event?.sealed?.res)
    assert.ok(!network.proxy.text().includes('"parts"'), 'a slice or a part passed in clear')
  })

  test('is refused to who takes no sealed answers, before an API is called', async () => {
    await using network = await startSealingNetwork({ answers: 'required' })
    const called = network.upstream.seen.length
    const answer = await send(network.holder, compositeCall(network, { a: { product: 'items', path: '/items/7' } }))
    assert.equal((JSON.parse(answer.body.toString()) as { code: string }).code, 'sealing-required')
    assert.equal(network.upstream.seen.length, called)
  })
})

async function asSlices(text: string) {
  const { parseSlices } = await import('@comity/core/exchange/composite-answer')
  const { membersOf } = await import('@comity/core/bytes/raw-members')
  return { slices: parseSlices(membersOf(text).get('parts') ?? '') }
}

test('the holder’s policies decide part by part: one is denied, one masked, and each decision is kept under its part', async () => {
  await using network = await startPersonalNetwork()
  const grants = [{ domains: ['sport.body', 'identity'] }, { products: ['results'], domains: ['sport.results'] }]
  const authorization = await tokenFor(network, await giveConsent(network, { grants }))
  await putPolicies(
    network.holder,
    `@id("height-only")
@fields("height")
permit (principal, action, resource) when { resource.product == Comity::Product::"athletes" };`,
  )
  const below = `/athletes/${athleteReference}`
  const seen = await composite(network, {
    body: { product: 'athletes', path: below, purpose: research, authorization },
    results: { product: 'results', path: `${below}/results`, purpose: research, authorization },
  })
  assert.deepEqual(codesOf(seen), { body: '200', results: 'policy-denied' })
  assert.deepEqual(bodyOf(seen, 'body'), { height: 181 })
  const event = await loggedExchange(network.holder, seen.id)
  assert.deepEqual(
    event?.parts?.map(({ released, policyVersion }) => [released, policyVersion]),
    [
      [['height'], 1],
      [undefined, 1],
    ],
  )
  const decided = [await decisionOf(network, `${seen.id}.body`), await decisionOf(network, `${seen.id}.results`)]
  assert.deepEqual(
    decided.map(({ outcome }) => outcome),
    ['allowed', 'denied'],
  )
  const admin = await adminOf(network.holder)
  const { status, text } = await admin.call({ method: 'GET', path: `/v1/policies/decisions/${seen.id}` })
  const { parts } = JSON.parse(text) as CompositeExplanationView
  assert.equal(status, 200)
  assert.deepEqual(
    parts.map(({ exchange, outcome }) => [exchange, outcome]),
    [
      [`${seen.id}.body`, 'allowed'],
      [`${seen.id}.results`, 'denied'],
    ],
  )
})
