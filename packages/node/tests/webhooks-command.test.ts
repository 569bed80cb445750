/** `comity webhooks` against a running node: a dead letter is listed, sent again, and handled once by the SDK. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, before, test } from 'node:test'
import { createWebhookReceiver, type WebhookEvent } from '../../client/src/client.ts'
import type { LoggedEventView, WebhookMessageView } from '../src/admin/admin-api.ts'
import { runQuietly } from '../../cli/src/test-terminal.ts'
import { grantOf, operate, plainNotice, startConsentNetwork, until, type ConsentNetwork } from './consent-network.ts'
import { freePort } from './free-port.ts'
import { athleteReference } from './personal-upstream.ts'

const stack = new AsyncDisposableStack()
const folder = mkdtempSync(join(tmpdir(), 'comity-webhooks-'))
stack.defer(() => rmSync(folder, { recursive: true, force: true }))
const secretFile = join(folder, 'webhook-key')
const events: WebhookEvent[] = []
const outcomes: string[] = []
let status = 410
let network: ConsentNetwork
let receiver: ReturnType<typeof createWebhookReceiver> | undefined

/** An own system as the documentation says one is written. */
const system = createServer((message, response) => {
  let body = ''
  message.setEncoding('utf8')
  message.on('data', (chunk: string) => (body += chunk))
  message.on('end', () => {
    if (status !== 204) return response.writeHead(status).end()
    return receiver
      ?.receive({ headers: message.headers, body }, (event) => events.push(event))
      .then(
        (outcome) => {
          outcomes.push(outcome)
          response.writeHead(204).end()
        },
        () => response.writeHead(401).end(),
      )
  })
})

before(async () => {
  const made = await runQuietly('--json', 'webhooks', 'secret', '--ed25519', '--out', secretFile)
  assert.equal(made.code, 0, made.error)
  receiver = createWebhookReceiver({ keys: (JSON.parse(made.out) as { publicKey: string }).publicKey })
  await new Promise<void>((resolve) => system.listen(0, '127.0.0.1', resolve))
  stack.defer(() => void system.close())
  const url = `http://127.0.0.1:${(system.address() as AddressInfo).port}/hooks?key=own`
  const port = await freePort()
  network = stack.use(
    await startConsentNetwork({
      configure(config, name) {
        if (name !== 'holder') return
        config['webhooks'] = [{ url, secret: { file: secretFile } }]
        Object.assign(config['listen'] as object, { admin: { port } })
      },
    }),
  )
})
after(() => stack.disposeAsync())

const comity = (...args: string[]) => runQuietly('-c', network.holder.configFile, ...args)
async function list(...args: string[]): Promise<WebhookMessageView[]> {
  const { out, code, error } = await comity('--json', 'webhooks', 'list', ...args)
  assert.equal(code, 0, error)
  return JSON.parse(out) as WebhookMessageView[]
}

test('a dead letter is told of, sent again, and taken by the system once it is back', async () => {
  await operate(network.recipient, '/v1/held-consents', {
    partner: 'holder',
    reference: athleteReference,
    duration: 'P30D',
    notice: plainNotice,
    recipient: { name: 'Sports Lab' },
    grants: [grantOf({})],
  })
  const [dead] = await until('the dead letter', async () => {
    const found = await list('--state', 'dead')
    return found.length > 0 && found
  })
  assert.deepEqual([dead?.type, dead?.attempts, dead?.lastError], ['consent.requested', 1, 'status 410'])
  const shown = await comity('webhooks', 'list')
  assert.match(shown.out, /consent\.requested +http:\/\/127\.0\.0\.1:\d+\/hooks +dead/)
  assert.doesNotMatch(shown.out, new RegExp(`key=own|${athleteReference}`))
  assert.match((await comity('doctor')).out, /1 dead letter/)
  status = 204
  assert.match((await comity('webhooks', 'replay', dead?.id ?? '')).out, /1 on the way again/)
  await until('the event', () => events.length > 0)
  assert.deepEqual([events[0]?.id, events[0]?.type, outcomes], [dead?.id, 'consent.requested', ['handled']])
  await until('the end', async () => (await list('--state', 'delivered')).length > 0)
  const again = await comity('webhooks', 'replay', dead?.id ?? '')
  assert.deepEqual([again.code, /webhook-unknown|no such message/.test(again.error)], [1, true])
  assert.match((await comity('webhooks', 'replay', '--all')).out, /there are no dead letters/)
  const log = await operate<LoggedEventView[]>(network.holder, '/v1/log/events?limit=100')
  assert.ok(log.some(({ body }) => body?.includes('"webhook-replay"')))
})

test('a message that waits for its next try is sent now, and a test message shows whether the system is mended', async () => {
  const address = `http://127.0.0.1:${(system.address() as AddressInfo).port}/hooks`
  status = 401
  const refused = await comity('webhooks', 'test', address)
  assert.deepEqual([refused.code, refused.out.trim()], [1, `${address} did not take the test message: status 401`])
  assert.equal((await comity('clients', 'add', 'billing')).code, 0)
  const issued = await comity('--json', 'api-keys', 'issue', 'billing')
  assert.equal(issued.code, 0, issued.error)
  const { id } = JSON.parse(issued.out) as { id: string }
  assert.equal((await comity('api-keys', 'revoke', id, '--reason', 'a try')).code, 0)
  const waiting = async () => (await list('--state', 'waiting')).filter(({ lastError }) => lastError === 'status 401')
  const [message] = await until('the first try', async () => {
    const found = await waiting()
    return found.length > 0 && found
  })
  status = 204
  assert.equal((await comity('webhooks', 'test', address)).out.trim(), `${address} took the test message`)
  assert.ok(events.some(({ type }) => type === 'webhook.test'))
  assert.match((await comity('webhooks', 'replay', message?.id ?? '')).out, /1 on the way again/)
  await until('the message', () => events.some((event) => event.id === message?.id))
  assert.equal((await comity('webhooks', 'replay', '--waiting')).code, 0)
  await until('nothing to wait', async () => (await list('--state', 'waiting')).length === 0)
  assert.match((await comity('webhooks', 'replay', '--waiting')).out, /nothing waits/)
  assert.notEqual((await comity('webhooks', 'test', 'https://elsewhere.example/')).code, 0)
})

test('a replay names a message, or all that are dead, or all that wait, and one of these alone', async () => {
  for (const args of [[], ['x', '--all'], ['--all', '--waiting'], ['x', '--waiting']])
    assert.equal((await comity('webhooks', 'replay', ...args)).code, 1)
})

test('a secret is written for its owner alone, never over another file, and not printed', async () => {
  assert.equal(statSync(secretFile).mode & 0o777, 0o600)
  const text = readFileSync(secretFile, 'utf8')
  assert.match(text, /^whsk_[A-Za-z0-9+/]{43}=\n$/)
  const over = await comity('webhooks', 'secret', '--out', secretFile)
  assert.deepEqual([over.code, /is there already/.test(over.error)], [1, true])
  assert.equal(readFileSync(secretFile, 'utf8'), text)
  const shared = join(folder, 'shared')
  const { out } = await comity('webhooks', 'secret', '--out', relative(process.cwd(), shared))
  assert.ok(out.includes(`secret: { file: ${shared} }`), 'what is declared does not depend on where it is read from')
  assert.match(readFileSync(shared, 'utf8'), /^whsec_/)
  assert.ok(!out.includes(readFileSync(shared, 'utf8').trim().slice(6)))
  writeFileSync(shared, '')
})
