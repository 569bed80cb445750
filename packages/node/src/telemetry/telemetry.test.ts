/** Telemetry from the outside: the lines, the meters and the spans that a node leaves, and what never stands in them. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { createEvents, eventNames, type ExchangeSummary } from './events.ts'
import { createLogger, type LogLevel } from './logger.ts'
import { createMetrics } from './metrics.ts'
import { createTracer } from './traces.ts'

const clock = { now: () => Date.UTC(2026, 0, 2) }
function recording(level: LogLevel = 'debug') {
  const lines: string[] = []
  const logger = createLogger({ level, clock, output: { write: (line) => void lines.push(line) } })
  const metrics = createMetrics()
  return {
    lines,
    logger,
    metrics,
    events: createEvents(logger, metrics),
    parsed: () => lines.map((l) => JSON.parse(l)),
  }
}
const exchange: ExchangeSummary = {
  direction: 'inbound',
  id: '0190-1',
  peer: 'did:web:lab.example',
  product: 'athletes',
  operation: 'getAthlete',
  status: 200,
  outcome: 'allowed',
  code: undefined,
  durationMs: 4,
  upstreamMs: 2,
}

test('a line is JSON with level, time of the given clock, message and event', () => {
  const { events, parsed } = recording()
  events.agreementImported({ id: 'a-1', peer: 'did:web:b.example' })
  assert.deepEqual(parsed(), [
    {
      level: 'info',
      time: '2026-01-02T00:00:00.000Z',
      event: 'agreement.imported',
      id: 'a-1',
      peer: 'did:web:b.example',
      message: 'an agreement with both signatures counts from now on',
    },
  ])
})

test('an allowed exchange is counted and leaves no line at the level `info`', async () => {
  const { events, lines, metrics } = recording('info')
  events.exchange(exchange)
  events.exchange({
    ...exchange,
    outcome: 'denied',
    code: 'nonce-replayed',
    status: 401,
    product: undefined,
    upstreamMs: undefined,
  })
  assert.equal(lines.length, 1)
  const text = await metrics.text()
  assert.match(
    text,
    /comity_exchange_duration_seconds_count\{direction="inbound",product="athletes",outcome="allowed"\} 1/,
  )
  assert.match(
    text,
    /comity_exchange_duration_seconds_bucket\{le="0.005",direction="inbound",product="athletes",outcome="allowed"\} 1/,
  )
  assert.match(text, /comity_denials_total\{direction="inbound",code="nonce-replayed"\} 1/)
  assert.match(text, /comity_events_total\{event="exchange.denied"\} 1/)
  assert.match(text, /comity_upstream_duration_seconds_sum\{product="athletes"\} 0.002/)
})

test('a name that an application asked for is no label before a partner has answered for it', async () => {
  const { events, metrics } = recording()
  const asked = { ...exchange, direction: 'outbound', upstreamMs: undefined } as const
  const refused = { ...asked, outcome: 'denied', code: 'product-unknown', status: 404 } as const
  for (let name = 0; name < 100; name++) events.exchange({ ...refused, product: `made-up-${name}` })
  for (const outcome of ['allowed', 'denied'] as const) events.exchange({ ...asked, outcome, product: 'stations' })
  const text = await metrics.text()
  const counts = [...text.matchAll(/^comity_exchange_duration_seconds_count\{(.*)\} (\d+)$/gm)]
  assert.deepEqual(
    counts.map(([, labels, count]) => `${labels} ${count}`),
    [
      'direction="outbound",product="none",outcome="denied" 100',
      'direction="outbound",product="stations",outcome="allowed" 1',
      'direction="outbound",product="stations",outcome="denied" 1',
    ],
  )
})

test('every event that is named is told by some function, and each logs and counts under its name', async () => {
  const { events, parsed, metrics } = recording()
  const anything = { id: 'x', keyid: 'x', code: 'x', did: 'x', alias: 'x', peer: 'x' }
  const { exchange: tellExchange, ...others } = events
  for (const tell of Object.values(others)) Reflect.apply(tell, undefined, [anything])
  for (const outcome of ['allowed', 'denied', 'failed'] as const) tellExchange({ ...exchange, outcome })
  // The last words of a process that ends are told without a logger, and nobody reads its meters after them.
  const told = eventNames.filter((name) => name !== 'node.crashed')
  assert.deepEqual(new Set(parsed().map(({ event }) => event)), new Set(told))
  const text = await metrics.text()
  for (const name of told) assert.match(text, new RegExp(`comity_events_total\\{event="${name}"\\} 1`))
})

const planted = 'PLANTED'
const jws = `eyJhbGciOiJFUzI1NiJ9.${planted}AAAA.${planted}BBBB`
test('planted secrets and data of members never stand in a line', () => {
  const { logger, lines } = recording()
  const cause = new Error(`call to https://user:${planted}@api.example/athletes/?name=${planted} failed`)
  const error = new Problem(
    'upstream-error',
    `\`/athletes/?name=${planted}#${planted}\` with Authorization: Bearer ${planted}xyz`,
    { cause },
  )
  const nested = {
    deep: {
      authorization: planted,
      list: [{ cookie: planted }, `Comity ${jws}`],
      at: new URL(`https://a.example/?q=${planted}`),
    },
  }
  logger.error(`token ${jws} in a message`, {
    error,
    nested,
    body: planted,
    headers: { x: planted },
    passphrase: planted,
  })
  logger.info('x', {
    key: { d: planted, kty: 'EC' },
    bytes: Buffer.from(planted),
    pem: `-----BEGIN PRIVATE KEY-----\n${planted}`,
    big: 1n,
  })
  logger.info('x', {
    holder: new (class Held {
      readonly token = planted
    })(),
    map: new Map([['a', planted]]),
    stack: new Error(planted).stack === '',
  })
  logger.info('x', {
    text: `-----BEGIN EC PRIVATE KEY-----\n${planted}\n-----END EC PRIVATE KEY-----`,
    url: `see /x/athletes?name=${planted}, or not`,
  })
  logger.info(`presented cmty_live_7Qm2xK9a_${planted}${'0'.repeat(31)}, cmty_admin_${planted}`, {
    text: `whsec_${planted}${'A'.repeat(25)}=`,
  })
  logger.with({ token: planted, url: `http://a.example/b?c=${planted}` }).warn(`DPoP ${planted}zzz`)
  assert.equal(lines.join('').includes(planted), false, lines.join(''))
  assert.equal(lines.length, 6)
  assert.match(lines.join(''), /cmty_live_7Qm2xK9a_\[redacted\], cmty_admin_\[redacted\]/)
  assert.match(
    lines[0] ?? '',
    /"code":"upstream-error".*"cause":\{"name":"Error","message":"call to https:\/\/\[redacted\]@api\.example/,
  )
})

test('a line is bounded, whatever it is given', () => {
  const { logger, lines } = recording()
  const circular: Record<string, unknown> = { text: 'x'.repeat(1_000_000) }
  circular['self'] = circular
  logger.info('y'.repeat(1_000_000), { circular, many: Array.from({ length: 10_000 }, () => 'z') })
  assert.ok((lines[0]?.length ?? 0) < 20_000)
})

test('a field cannot pose as the logger', () => {
  const { logger, parsed } = recording()
  logger.info('true', { level: 'error', time: 'never', message: 'false' })
  assert.deepEqual(parsed(), [{ level: 'info', time: '2026-01-02T00:00:00.000Z', message: 'true' }])
})

test('a gauge is read at every scrape; two nodes in one process do not mix', async () => {
  const [one, two] = [createMetrics(), createMetrics()]
  let size = 1
  one.gauge('log_entries', () => size)
  assert.match(await one.text(), /comity_log_entries 1/)
  size = 70_000
  assert.match(await one.text(), /comity_log_entries 70000/)
  assert.doesNotMatch(await two.text(), /comity_log_entries/)
  assert.match(await two.text(), /process_resident_memory_bytes \d{7,}/)
  assert.match(await two.text(), /nodejs_eventloop_lag_p99_seconds [\d.e-]+/)
})

test('the number of series stays bounded when names do not', async () => {
  const metrics = createMetrics()
  for (let i = 0; i < 3_000; i++) metrics.denial('inbound', `made-up-${i}`)
  const text = await metrics.text()
  assert.ok(text.split('\n').filter((line) => line.startsWith('comity_denials_total')).length <= 2_001)
  assert.match(text, /comity_denials_total\{direction="other",code="other"\} 1000/)
})

/** A collector that keeps what it is sent. */
async function collector() {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    request.setEncoding('utf8')
    let body = ''
    request.on('data', (part: string) => (body += part))
    request.on('end', () => {
      bodies.push(`${request.url} ${body}`)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { bodies, endpoint: `http://127.0.0.1:${port}`, close: () => server.close() }
}
const outcome = {
  exchangeId: 'e1',
  peer: 'did:web:lab.example',
  product: 'athletes',
  operation: 'getAthlete',
  outcome: 'allowed',
  code: undefined,
  status: 200,
} as const

test('an exchange becomes a span with the call inside it, and the collector gets both', async () => {
  const { bodies, endpoint, close } = await collector()
  const options = { endpoint, headers: {}, participant: 'did:web:a.example', version: '1', randomBytes }
  const tracer = await createTracer({ ...options, ratio: 1 })
  const trace = tracer.startExchange({ direction: 'inbound', nowMs: clock.now() })
  const call = trace?.startCall(clock.now() + 1)
  call?.end(200, clock.now() + 2)
  trace?.end(outcome, clock.now() + 3)
  await tracer[Symbol.asyncDispose]()
  close()
  assert.equal(bodies.length, 1)
  assert.match(bodies[0] ?? '', /^\/v1\/traces /)
  const { resourceSpans } = JSON.parse((bodies[0] ?? '').slice('/v1/traces '.length))
  const [inner, outer] = resourceSpans[0].scopeSpans[0].spans
  assert.deepEqual([inner.name, outer.name], ['call', 'exchange inbound'])
  assert.equal(inner.parentSpanId, outer.spanId)
  assert.equal(inner.spanId, call?.context.spanId)
  assert.equal(outer.startTimeUnixNano, `${clock.now()}000000`)
})

test('traces that are off or not sampled make no span, and an own application decides for its trace', async () => {
  const { bodies, endpoint, close } = await collector()
  await using off = await createTracer(undefined)
  assert.equal(off.startExchange({ direction: 'inbound', nowMs: 0 }), undefined)
  const options = { endpoint, headers: {}, participant: 'did:web:a.example', version: '1', randomBytes }
  const tracer = await createTracer({ ...options, ratio: 0 })
  const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: false }
  for (const start of [{}, { parent }]) {
    const trace = tracer.startExchange({ direction: 'outbound', nowMs: 0, ...start })
    assert.equal(trace?.startCall(1).context.sampled, false)
    trace?.end(outcome, 2)
  }
  await tracer[Symbol.asyncDispose]()
  assert.deepEqual(bodies, [])
  close()
})

test('of an API key the secret never stands in a line, its public id may', () => {
  const { logger, lines } = recording()
  const key = `cmty_live_7Qm2xK9a_${planted.padEnd(38, 'x')}`
  logger.info(`sent ${key}`, { text: `X-API-Key: ${key}`, error: new Error(`KEY_${key}.`), cut: key.slice(0, 40) })
  assert.equal(lines.length, 1)
  assert.equal(lines[0]?.includes(planted), false)
  assert.match(String(lines[0]), /cmty_live_7Qm2xK9a_/)
})
