/** OWASP API3:2023. Of an object only the granted fields leave, and only declared ones go in. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  call,
  codeOf,
  giveConsent,
  jsonOf,
  startPersonalNetwork,
  tokenFor,
  type PersonalNetwork,
} from '../personal-network.ts'
import { athleteReference } from '../personal-upstream.ts'
import { send, signCall } from '../signed-call.ts'

describe('fields', () => {
  let network: PersonalNetwork
  let authorization: string
  before(async () => {
    network = await startPersonalNetwork()
    await network.agree()
    // Grants `sport.body`: height and weight, nothing else.
    authorization = await tokenFor(network, await giveConsent(network))
  })
  after(() => network[Symbol.asyncDispose]())

  test('that were not granted are withheld, asked for or not, and what the API adds does not leave either', async () => {
    for (const query of ['?', '?fields=name,born,height', '?fields=*']) {
      const answer = await call(network, { authorization, query })
      if (answer.status === 200) {
        const fields = Object.keys(jsonOf(answer))
        assert.deepEqual(
          fields.filter((name) => !['height', 'weight'].includes(name)),
          [],
          query,
        )
      } else assert.ok(answer.status < 500)
    }
    const all = await call(network, { authorization })
    assert.deepEqual(jsonOf(all), { height: 181, weight: 74 })
    network.api.behave = (response) => {
      response.setHeader('content-type', 'application/json')
      response.setHeader('x-internal', 'planted')
      response.end(JSON.stringify({ height: 181, weight: 74, name: 'Amina', ssn: 'planted', isAdmin: true }))
    }
    const more = await call(network, { authorization })
    network.api.behave = undefined
    assert.doesNotMatch(more.body.toString(), /planted|Amina|isAdmin/)
    assert.ok(!more.headers.has('x-internal') && !more.headers.has('etag'), [...more.headers.keys()].join())
  })

  test('that the schema does not declare are refused, and the API is not called', async () => {
    const earlier = network.upstream.seen.length
    const post = (body: string) =>
      send(network.holder, signCall(network, { method: 'POST', path: '/x/items/items', body }))
    for (const body of [
      '{"name":"a","role":"admin"}',
      '{"name":"a","id":1}',
      '{"name":"a","__proto__":{"isAdmin":true}}',
      '{"name":"a","constructor":{"prototype":{"isAdmin":true}}}',
      '{"name":"a","name":"b"}',
      '{"NAME":"a"}',
      '[{"name":"a"}]',
    ]) {
      const answer = await post(body)
      assert.ok(answer.status === 400 || answer.status === 422, `${answer.status} for ${body}`)
    }
    assert.equal(network.upstream.seen.length, earlier)
    assert.equal((await post('{"name":"a"}')).status, 201)
    assert.equal(({} as { isAdmin?: boolean }).isAdmin, undefined)
  })

  test('cannot be added by naming a parameter that was not declared', async () => {
    for (const query of ['?expand=all', '?fields=height&fields=name', '?include=identity', '?admin=true']) {
      const answer = await call(network, { authorization, query })
      assert.ok(answer.status >= 400 && answer.status < 500, `${query}: ${codeOf(answer)}`)
    }
    assert.ok(network.api.called.every((target) => !/expand|include|admin/.test(target)))
  })

  test('of an answer cannot be had by another way to ask: HEAD, ranges, formats, conditions', async () => {
    const path = `/x/athletes/athletes/${athleteReference}`
    const head = await call(network, { authorization, path, method: 'HEAD' })
    assert.equal(head.body.length, 0)
    for (const headers of [
      { range: 'bytes=0-400' },
      { accept: 'text/csv' },
      { 'if-none-match': '"tells-of-every-field"' },
      { prefer: 'return=representation' },
    ]) {
      const answer = await call(network, { authorization, path, headers })
      assert.doesNotMatch(answer.body.toString(), /Amina|1999-04-17/)
      assert.notEqual(answer.status, 304)
    }
  })
})
