/** OWASP API4:2023. Nothing that comes in is larger, deeper, slower or more often than allowed, and refusing is cheap. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { formatApiKey, parseApiKey } from '@comity/core/api-keys/api-key'
import { assertNoFault, codeOf, openTarget, talk, type FuzzTarget } from '../fuzz-kit.ts'
import { addClient, issueKey, keysOf, presentKey, signWithKey, startKeyNetwork } from '../key-network.ts'
import { codeOf as answerCode } from '../personal-network.ts'
import { send, signCall } from '../signed-call.ts'
import { startTestNetwork, testPurpose } from '../test-network.ts'

describe('a node bounds', () => {
  let target: FuzzTarget
  before(async () => {
    target = await openTarget()
  })
  after(() => target[Symbol.asyncDispose]())

  const post = (path: string, body: string) =>
    signCall(target.network, { method: 'POST', path, body, headers: { 'comity-purpose': testPurpose } })

  test('the size of a body, whether it is announced or sent in chunks', async () => {
    const { places, authority } = target
    const head = `POST /events HTTP/1.1\r\nHost: ${authority}\r\nContent-Type: application/secevent+jwt\r\n`
    const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`
    const talked = await talk(places.public, [`${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(3)}0\r\n\r\n`])
    const announced = await talk(places.public, [`${head}Content-Length: 1200000000\r\n\r\n`])
    for (const { answers } of [talked, announced]) assert.deepEqual(answers.map(codeOf), ['body-too-large'])
  })

  test('the depth and the members of JSON, without running out of stack', async () => {
    const { holder } = target.network
    for (const body of [
      '['.repeat(100_000),
      `${'['.repeat(5_000)}1${']'.repeat(5_000)}`,
      `${'{"name":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
      `{${Array.from({ length: 20_000 }, (_, at) => `"m${at}":1`).join()}}`,
    ]) {
      const answer = await send(holder, post('/x/items/items', body))
      assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} for ${body.slice(0, 20)}`)
    }
  })

  test('heads, targets and the number of fields', async () => {
    const { places, authority } = target
    for (const [bytes, status] of [
      [`GET /healthz HTTP/1.1\r\nHost: ${authority}\r\nX-A: ${'a'.repeat(300_000)}\r\n\r\n`, 431],
      [`GET /healthz HTTP/1.1\r\nHost: ${authority}\r\n${'X-A: a\r\n'.repeat(20_000)}\r\n`, 431],
      [`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: ${authority}\r\nConnection: close\r\n\r\n`, 414],
    ] as const) {
      for (const place of Object.values(places)) {
        const authorityOf = place.secure ? authority : `127.0.0.1:${place.port}`
        const talked = await talk(place, [bytes.replaceAll(authority, authorityOf)])
        assertNoFault(talked, () => bytes.slice(0, 60))
        assert.equal(talked.answers[0]?.status, status)
      }
    }
  })

  test('how long a message may take: who sends drop by drop is shut out', async () => {
    const { places, authority } = target
    const head = `POST /events HTTP/1.1\r\nHost: ${authority}\r\nContent-Type: application/secevent+jwt\r\n`
    const slow = await talk(places.public, [`${head}Content-Length: 9\r\n\r\n`, 'a', 'b', 'c'], {
      gapMs: 500,
      patienceMs: 30_000,
    })
    assert.ok(slow.isClosed)
  })

  test('how much an upstream may answer: an endless answer ends', async () => {
    const { network } = target
    network.upstream.behave = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const fill = Buffer.alloc(1_048_576, 0x20)
      const more = () => {
        while (!response.destroyed && response.write(fill));
      }
      response.on('drain', more)
      more()
    }
    const answer = await send(network.holder, signCall(network))
    network.upstream.behave = undefined
    assert.deepEqual([answer.status, answerCode(answer)], [502, 'upstream-too-large'])
  })

  test('all of that without harm to the next call', async () => {
    const answer = await send(target.network.holder, signCall(target.network))
    assert.equal(answer.status, 200)
    assert.ok(!target.network.holder.logged.join('').includes('error.internal'))
  })
})

describe('a node counts', () => {
  test('calls by address, by caller and by product, and says when to come back', async () => {
    await using network = await startTestNetwork({
      holder: (config) => {
        for (const product of config['products'] as { id: string; limits: object }[])
          product.limits = { rate: { requests: 3, perSeconds: 3_600 } }
      },
    })
    await network.agree()
    const statuses: number[] = []
    for (let call = 0; call < 5; call++) {
      const answer = await send(network.holder, signCall(network))
      statuses.push(answer.status)
      if (answer.status === 429) assert.ok(Number(answer.headers.get('retry-after')) >= 1)
      assert.ok(answer.headers.has('ratelimit') && answer.headers.has('ratelimit-policy'))
    }
    assert.deepEqual(statuses, [200, 200, 200, 429, 429])
    assert.equal(network.upstream.seen.length, 3)
  })

  test('calls that race for the last allowance, and lets no more through than there is', async () => {
    await using network = await startTestNetwork({
      holder: (config) => {
        for (const product of config['products'] as { limits: object }[])
          product.limits = { rate: { requests: 10, perSeconds: 3_600 } }
      },
    })
    await network.agree()
    const answers = await Promise.all(Array.from({ length: 40 }, () => send(network.holder, signCall(network))))
    assert.equal(answers.filter(({ status }) => status === 200).length, 10)
    assert.equal(network.upstream.seen.length, 10)
  })

  test('strangers before their signatures are looked at', async () => {
    await using network = await startTestNetwork({
      holder: (config) => {
        Object.assign(config['limits'] as object, { perAddress: { requests: 5, perSeconds: 3_600 } })
      },
    })
    const codes: string[] = []
    for (let call = 0; call < 8; call++) codes.push(answerCode(await send(network.holder, signCall(network))))
    assert.deepEqual(new Set(codes.slice(5)), new Set(['rate-limited']))
  })
})

test('calls with API keys that race for the last allowance of their client get no more than there is', async () => {
  await using network = await startKeyNetwork({
    holder(config) {
      const rules = [{ name: 'daily', by: ['client'], quota: { units: 6, per: 'day' } }]
      config['limits'] = { ...(config['limits'] as object), rules }
    },
  })
  const { holder } = network
  await addClient(holder)
  await addClient(holder, { id: 'scheduling' })
  const [key, signing] = [await issueKey(holder), await issueKey(holder, { use: 'hmac' })]
  const calls = Array.from({ length: 10 }, () => [presentKey(holder, key.text), signWithKey(network, signing)]).flat()
  const codes = (await Promise.all(calls.map((call) => send(holder, call)))).map(({ status }) => status)
  assert.deepEqual(
    [codes.filter((status) => status === 200).length, network.upstream.seen.length],
    [6, 6],
    codes.join(),
  )
  const other = await issueKey(holder, {}, 'scheduling')
  assert.equal((await send(holder, presentKey(holder, other.text))).status, 200, 'another client has its own')
  const body = JSON.stringify({ reason: 'a'.repeat(20_000) })
  const asking = presentKey(holder, other.text, { method: 'POST', path: '/limits/requests', body, headers: {} })
  assert.equal(answerCode(await send(holder, asking)), 'body-too-large')
})

test('a key makes no more than one successor, however often and how fast its renewal is asked for', async () => {
  await using network = await startKeyNetwork()
  const { holder } = network
  await addClient(holder)
  const keys = await keysOf(holder)
  for (const use of ['plain', 'hmac'] as const) {
    const key = await issueKey(holder, { use })
    await keys.rotations.rotate(key.id, { successor: 'claim', overlapDays: 7 }, 'operator')
    const count = async () => (await keys.listKeys({ limit: 1_000 })).length
    const logged = async () => (await holder.running.parts.auditLog.readEvents({ limit: 100_000 })).length
    const renewal = { method: 'POST', path: '/keys/renewal', headers: {} }
    const ask = () =>
      send(holder, use === 'plain' ? presentKey(holder, key.text, renewal) : signWithKey(network, key, renewal))
    const earlier = await count()
    const first = await ask()
    const entries = await logged()
    const answers = await Promise.all(Array.from({ length: 40 }, ask))
    const successors = [first, ...answers].map(({ body }) => (JSON.parse(body.toString()) as { keyId: string }).keyId)
    assert.deepEqual([new Set(successors).size, await count(), await logged()], [1, earlier + 1, entries])
    const large = { ...renewal, body: JSON.stringify({ note: 'a'.repeat(2_000_000) }) }
    const { status } = await send(
      holder,
      use === 'plain' ? presentKey(holder, key.text, large) : signWithKey(network, key, large),
    )
    assert.equal(status, 413)
  }
})

test('who floods the listener for applications with keys that are not taken waits, and the good key passes', async () => {
  await using network = await startKeyNetwork({
    recipient(config) {
      Object.assign(config['limits'] as object, { failures: { requests: 5, perSeconds: 3_600 } })
      const listen = config['listen'] as Record<string, object>
      listen['local'] = { ...listen['local'], authentication: 'keys' }
    },
  })
  const { recipient } = network
  await addClient(recipient, { id: 'app', kind: 'application', participant: undefined })
  const key = await issueKey(recipient, {}, 'app')
  const call = async (text: string, path = '/holder/items/items/7', method = 'GET') => {
    const headers = { 'comity-purpose': testPurpose, 'x-api-key': text }
    const answer = await fetch(recipient.local(path), { method, headers })
    const { code = 'none' } = (await answer.json()) as { code?: string }
    return { status: answer.status, code }
  }
  const wrong = formatApiKey({ ...parseApiKey(key.text), secret: 'q'.repeat(32) })
  for (const [path, method] of [['/holder/items/items/7'], ['/~keys/renewal', 'POST']]) {
    const codes: string[] = []
    for (let tried = 0; tried < 12; tried++) codes.push((await call(wrong, path, method)).code)
    assert.equal(codes.at(-1), 'rate-limited', path)
    assert.equal((await call(key.text)).status, 200, 'the key whose id was claimed')
  }
  const renewed = await call(key.text, '/~keys/renewal', 'POST')
  assert.equal(renewed.code, 'key-not-rotated', 'it is known, and no rotation is under way')
})
