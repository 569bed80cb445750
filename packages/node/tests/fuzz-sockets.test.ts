/** Messages that no two servers read alike, on every listener: refused as the sender's fault, one reading or none. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, openTarget, talk, type FuzzTarget, type Place, type TalkOptions } from './fuzz-kit.ts'

interface Case extends TalkOptions {
  readonly name: string
  /** The message; `HOST` stands for the listener's own authority. */
  readonly bytes: string
  /** Statuses in order; a connection that is closed without an answer has none. */
  readonly statuses: readonly number[]
  /** The fault is in the body, which may be refused unread for another reason. */
  readonly inBody?: true
}

const get = 'GET /healthz HTTP/1.1\r\nHost: HOST\r\n'
const post = 'POST /events HTTP/1.1\r\nHost: HOST\r\n'
const smuggled = 'GET /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n'
const refused = (name: string, bytes: string, status = 400): Case => ({ name, bytes, statuses: [status] })

const refusedBody = (name: string, bytes: string): Case => ({ ...refused(name, post + bytes), inBody: true })

const cases: readonly Case[] = [
  // Two lengths, two readings (RFC 9112 §6.3, §11.2): nothing behind them may be taken for a request.
  refused('both lengths', `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`),
  refused(
    'both lengths, turned round',
    `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${smuggled}`,
  ),
  refused('two contents lengths', `${post}Content-Length: 0\r\nContent-Length: 5\r\n\r\n${smuggled}`),
  refused('a list of lengths', `${post}Content-Length: 0, 5\r\n\r\n${smuggled}`),
  refused('a signed length', `${post}Content-Length: +5\r\n\r\nhello`),
  refused('a negative length', `${post}Content-Length: -1\r\n\r\n`),
  refused('a hexadecimal length', `${post}Content-Length: 0x5\r\n\r\nhello`),
  refused('an endless length', `${post}Content-Length: ${'9'.repeat(40)}\r\n\r\n`),
  refused('a coding that is not chunked', `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`),
  refused('chunked and then something', `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`),
  refused('two codings', `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n`),
  refused('a space before the colon', `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`),
  refused('a field on two lines', `${get}X-One: a\r\n b\r\n\r\n`),
  refusedBody('a chunk size that is none', `Transfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n0\r\n\r\n`),
  refusedBody('a chunk that is longer than it says', `Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n`),
  refusedBody('an endless chunk size', `Transfer-Encoding: chunked\r\n\r\n${'F'.repeat(30)}\r\n`),
  // Characters.
  refused('bare line feeds', 'GET /healthz HTTP/1.1\nHost: HOST\n\n'),
  refused('a bare carriage return', `${get}X-One: a\rb\r\n\r\n`),
  refused('a NUL in a value', `${get}X-One: a\0b\r\n\r\n`),
  refused('a NUL in a name', `${get}X-\0One: a\r\n\r\n`),
  refused('a NUL in the target', 'GET /heal\0thz HTTP/1.1\r\nHost: HOST\r\n\r\n'),
  refused('a field without a colon', `${get}nonsense\r\n\r\n`),
  refused('a field without a name', `${get}: value\r\n\r\n`),
  refused('letters beyond ASCII in a name', `${get}Ünicode: a\r\n\r\n`),
  refused('a raw space in the target', 'GET /health z HTTP/1.1\r\nHost: HOST\r\n\r\n'),
  refused('letters beyond ASCII in the target', 'GET /hé HTTP/1.1\r\nHost: HOST\r\n\r\n'),
  // Versions and methods.
  refused('HTTP/0.9', 'GET /healthz\r\n\r\n'),
  refused('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  refused('HTTP of the future', 'GET /healthz HTTP/9.9\r\nHost: HOST\r\n\r\n'),
  refused('another protocol', 'EHLO example.org\r\n'),
  refused('TLS where there is none', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  refused('an unknown method', 'BREW /pot HTTP/1.1\r\nHost: HOST\r\n\r\n'),
  refused('a tunnel', 'CONNECT HOST HTTP/1.1\r\nHost: HOST\r\n\r\n', 405),
  // Targets.
  refused('an absolute target', 'GET http://HOST/healthz HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n'),
  refused('an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n'),
  refused('two slashes', 'GET //evil.example/x HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n'),
  refused('a fragment', 'GET /healthz#x HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n'),
  refused('no host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n'),
  refused('an empty host', 'GET /healthz HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'),
  refused('two hosts', `${get}Host: other.example\r\nConnection: close\r\n\r\n`),
  refused('two hosts behind 3,000 fields', `${get}${'a:\r\n'.repeat(3_000)}Host: b\r\nConnection: close\r\n\r\n`),
  refused('a long target', `GET /${'a'.repeat(5_000)} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n`, 414),
  refused('more header than allowed', `${get}X-One: ${'a'.repeat(70_000)}\r\n\r\n`, 431),
  refused('many fields', `${get}${'X-One: a\r\n'.repeat(8_000)}\r\n`, 431),
  refused('a request that breaks off', 'GET /healthz HTT', 400),
  // Odd, and allowed.
  {
    name: 'an expectation nobody knows',
    bytes: `${get}Expect: miracles\r\nConnection: close\r\n\r\n`,
    statuses: [200],
  },
  { name: 'an upgrade', bytes: `${get}Upgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n`, statuses: [200] },
  { name: 'two requests at once', bytes: `${get}\r\n${get}Connection: close\r\n\r\n`, statuses: [200, 200] },
  { name: 'a request and then garbage', bytes: `${get}\r\n\0\0\0\0`, statuses: [200, 400] },
  { name: 'nothing', bytes: '', statuses: [], halfClose: true },
]

/** For those that end with the own side closed. */
const brokenOff = new Set(['a request that breaks off', 'two contents lengths', 'another protocol'])

for (const listener of ['public', 'local', 'admin'] as const) {
  describe(`the ${listener} listener`, () => {
    let target: FuzzTarget
    let place: Place
    let authority: string
    before(async () => {
      target = await openTarget()
      place = target.places[listener]
      authority = listener === 'public' ? target.authority : `127.0.0.1:${place.port}`
    })
    after(() => target[Symbol.asyncDispose]())

    // Applications have no /healthz on their listener.
    const known = (status: number): number => (status === 200 && listener === 'local' ? 404 : status)

    test('gives malformed messages the right refusal and closes', async () => {
      const run = async ({ name, bytes, statuses, inBody, ...options }: Case): Promise<void> => {
        const message = Buffer.from(bytes.replaceAll('HOST', authority), 'latin1')
        const { answers, rest, isClosed } = await talk(place, [message], {
          halfClose: brokenOff.has(name),
          ...options,
        })
        const got = answers.map(({ status }) => status)
        const isOther = inBody === true && got.length === 1 && [401, 404, 415].includes(got[0] ?? 0)
        if (!isOther) assert.deepEqual([got, rest], [statuses.map(known), ''], name)
        assert.ok(isClosed, `${name}: the connection stays open`)
        for (const answer of answers) if (answer.status >= 400) codeOf(answer)
      }
      const queue = [...cases]
      const work = async () => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) await run(next)
      }
      await Promise.all([work(), work(), work(), work()])
    })

    test('gives up on those who send too slowly', async () => {
      const head = await talk(place, ['GET /healthz HTTP/1.1\r\n', 'X-One', ': a', '\r\nX-Tw'], {
        gapMs: 300,
        patienceMs: 30_000,
      })
      const body = await talk(
        place,
        [
          `${post.replace('HOST', authority)}Content-Type: application/secevent+jwt\r\nContent-Length: 50\r\n\r\n`,
          'a',
          'b',
        ],
        { gapMs: 400, patienceMs: 30_000 },
      )
      assert.deepEqual(head.answers.map(codeOf), ['request-timeout'])
      assert.ok(head.isClosed && body.isClosed)
      assert.ok(body.answers.every(({ status }) => status >= 400 && status < 500))
    })

    test('answers a peer that has closed its side', async () => {
      const { answers } = await talk(place, [`${get.replace('HOST', authority)}\r\n`], { halfClose: true })
      assert.deepEqual(
        answers.map(({ status }) => status),
        [known(200)],
      )
    })

    test('is unharmed', () => target.assertUnharmed())
  })
}

describe('the listener for partners', () => {
  test('closes on those who speak no TLS, or an old one', async () => {
    await using target = await openTarget()
    const plain = { ...target.places.public, secure: false }
    for (const bytes of [
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      '\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff',
      '\0'.repeat(2_000),
    ]) {
      const { answers, isClosed } = await talk(plain, [Buffer.from(bytes, 'latin1')], { halfClose: true })
      assert.deepEqual([answers, isClosed], [[], true])
    }
    await target.assertUnharmed()
  })

  test('sends an answer before the refusal of what came behind its request', async () => {
    await using target = await openTarget()
    target.network.upstream.behave = (_message, response) =>
      void setTimeout(
        () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":7,"name":"slow"}'),
        300,
      )
    const request = `GET /x/open-items/items/7 HTTP/1.1\r\nHost: ${target.authority}\r\n\r\n`
    const { answers } = await talk(target.places.public, [`${request}\0\0garbage\r\n\r\n`])
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 400],
    )
    assert.match(answers[0]?.body ?? '', /slow/)
    target.network.upstream.behave = undefined
    await sleep(1)
    await target.assertUnharmed()
  })
})
