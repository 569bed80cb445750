/** OWASP API10:2023. What other systems answer (the API behind, a partner's node) is input like any other. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { startLyingHolder, write } from '../lying-holder.ts'
import { codeOf } from '../personal-network.ts'
import { send, signCall } from '../signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from '../test-network.ts'

describe('the API behind', () => {
  let network: TestNetwork
  before(async () => {
    network = await startTestNetwork()
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  const json = { 'content-type': 'application/json' }
  const good = '{"id":7,"name":"planted"}'
  const bad: Record<string, (response: ServerResponse) => void> = {
    'another type of content': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end(`<b>planted`),
    'what its schema forbids': (response) => response.writeHead(200, json).end('{"id":"planted","name":7}'),
    'half of JSON': (response) => response.writeHead(200, json).end('{"id":7,"name":"planted'),
    'a member twice': (response) => response.writeHead(200, json).end('{"id":7,"name":"a","name":"planted"}'),
    'a status that is not declared': (response) => response.writeHead(418, json).end(good),
    'a redirect': (response) => response.writeHead(302, { ...json, location: 'http://127.0.0.1/planted' }).end(good),
    'less than it announces': (response) => {
      response.writeHead(200, { ...json, 'content-length': '900' })
      response.write(good)
      setTimeout(() => response.destroy(), 20)
    },
    'a coding nobody asked for': (response) =>
      response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end('planted, not gzip'),
    'its own failure, with a stack': (response) => response.writeHead(500).end('Error: planted\n  at x (y.js:1:1)'),
  }
  for (const [name, behave] of Object.entries(bad)) {
    test(`answers with ${name}: nothing of it is passed on`, async () => {
      network.upstream.behave = (_, response) => behave(response)
      const answer = await send(network.holder, signCall(network))
      network.upstream.behave = undefined
      assert.ok(answer.status === 502 || answer.status === 504, `${answer.status} ${answer.body.toString()}`)
      assert.doesNotMatch(answer.body.toString(), /planted|y\.js/)
      assert.ok(!answer.headers.has('location'))
    })
  }

  test('sets no field of the answer that was not declared for it', async () => {
    network.upstream.behave = (_, response) =>
      response
        .writeHead(200, {
          ...json,
          'set-cookie': 'planted=1',
          'x-internal-host': 'planted',
          signature: 'comity=:planted:',
          'comity-receipt': 'planted',
          'access-control-allow-origin': '*',
          server: 'planted',
        })
        .end('{"id":7,"name":"ok"}')
    const answer = await send(network.holder, signCall(network))
    network.upstream.behave = undefined
    assert.equal(answer.status, 200)
    assert.doesNotMatch([...answer.headers].join('\n'), /planted|access-control/)
  })

  test('is answered to for good again afterwards', async () => {
    assert.equal(codeOf(await send(network.holder, signCall(network))), '200')
  })
})

test('a partner’s answer counts only when it is signed, bound to the request, and as it was made', async () => {
  await using network = await startTestNetwork()
  const agreement = await network.agree()
  const call = () =>
    fetch(network.recipient.local('/holder/items/items/7'), { headers: { 'comity-purpose': testPurpose } })
  await using liar = await startLyingHolder(network, agreement)
  liar.behave = (request, response) => write(response, liar.answer(request))
  assert.equal((await call()).status, 200)
  liar.behave = (request, response) => {
    const made = liar.answer(request)
    write(response, { ...made, body: made.body.replace('planted', 'PLANTED') })
  }
  const changed = await call()
  assert.equal(changed.status, 502)
  assert.doesNotMatch(await changed.text(), /planted/i)
  liar.behave = (request, response) => {
    const { status, body } = liar.answer(request)
    write(response, { status, body, headers: { 'content-type': 'application/json' } })
  }
  const unsigned = await call()
  assert.equal(unsigned.status, 502)
  assert.doesNotMatch(await unsigned.text(), /planted/)
})
