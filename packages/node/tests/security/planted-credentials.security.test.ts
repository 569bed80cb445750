/** Credentials that a node makes or is given stand in nothing that it says and in clear in no file that it keeps: issued
 *  API keys and what is claimed with them, secrets of webhooks, the admin token, the passphrase of its keys. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { formatApiKey, newKeyId, newKeySecret } from '@comity/core/api-keys/api-key'
import { pooledRandomBytes } from '../../src/assembly/world.ts'
import { initialise } from '../../src/setup/initialise.ts'
import { adminOf, type AdminQuestion } from '../admin-call.ts'
import { until } from '../consent-network.ts'
import { freePort } from '../free-port.ts'
import { startHookReceiver, type HookReceiver } from '../hook-receiver.ts'
import { addClient, issueKey, keysOf, presentKey, signWithKey, startKeyNetwork } from '../key-network.ts'
import { send } from '../signed-call.ts'
import { spellingIn } from '../spellings.ts'
import { startProcess, type NodeProcess } from '../start-process.ts'
import { testPurpose, type TestNetwork } from '../test-network.ts'
import { startTraceCollector, type TraceCollector } from '../trace-collector.ts'

type Config = Record<string, unknown>

const renewal = { method: 'POST', path: '/keys/renewal', headers: {} }
const slowly = { successor: 'claim', overlapDays: 7 } as const

/** The texts that must be nowhere: of a key its secret, of the others all behind their prefix. */
function hiddenIn(credential: string): string {
  const hidden = credential.slice(credential.lastIndexOf('_') + 1)
  assert.ok(hidden.length >= 32, 'so long that it stands nowhere by chance')
  return hidden
}

function assertFree(content: Buffer | string, where: string, credentials: readonly string[]): void {
  for (const credential of credentials) {
    const bytes = Buffer.from(content)
    const found = spellingIn(bytes, hiddenIn(credential))
    assert.equal(found, undefined, `${where} holds \`${credential.slice(0, 14)}…\``)
    const isRaw = credential.startsWith('whs') && bytes.includes(Buffer.from(hiddenIn(credential), 'base64'))
    assert.ok(!isRaw, `${where} holds the bytes of \`${credential.slice(0, 14)}…\``)
  }
}

/** Every file of a directory with its content but those that an operator keeps secret or wrote. */
async function filesBelow(directory: string): Promise<[string, Buffer][]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return Promise.all(
    paths
      .filter((path) => !/admin\.token$|\.yaml$/.test(path))
      .map(async (path): Promise<[string, Buffer]> => [path, await readFile(path)]),
  )
}

describe('a credential', () => {
  let network: TestNetwork
  let outside: string
  let collector: TraceCollector
  let [own, shared, signed] = [] as unknown as [HookReceiver, HookReceiver, HookReceiver]
  const ownSecret = `whsec_${randomBytes(32).toString('base64')}`
  const credentials: string[] = [ownSecret]
  const said: string[] = []

  before(async () => {
    collector = await startTraceCollector()
    ;[own, shared, signed] = [await startHookReceiver(), await startHookReceiver(), await startHookReceiver()]
    own.trust(ownSecret)
    const traced = (config: Config) =>
      Object.assign((config['telemetry'] ??= {}) as object, { traces: { endpoint: collector.url, ratio: 1 } })
    outside = await mkdtemp(join(tmpdir(), 'comity-planted-'))
    const secretFile = join(outside, 'secret')
    await writeFile(secretFile, ownSecret, { mode: 0o600 })
    network = await startKeyNetwork({
      holder(config) {
        traced(config)
        config['webhooks'] = [{ url: own.url, secret: { file: secretFile } }]
      },
      recipient(config) {
        traced(config)
        const listen = config['listen'] as Record<string, object>
        listen['local'] = { ...listen['local'], authentication: 'keys' }
      },
    })
    await liveThrough()
    for (const node of nodes()) await node.running.parts.auditLog.integrate()
  })
  after(async () => {
    await network[Symbol.asyncDispose]()
    for (const each of [own, shared, signed, collector]) await each[Symbol.asyncDispose]()
    await rm(outside, { recursive: true })
  })

  const nodes = () => [network.holder, network.recipient]

  /** Keeps what a refusal said. */
  async function refused(answer: Promise<{ status: number; body: Buffer } | Response>): Promise<void> {
    const given = await answer
    assert.ok(given.status >= 400, String(given.status))
    said.push(given instanceof Response ? await given.text() : given.body.toString())
  }

  async function liveThrough(): Promise<void> {
    for (const node of nodes()) credentials.push((await adminOf(node)).token)
    await addClient(network.holder)
    await addClient(network.recipient, { id: 'app', kind: 'application', participant: undefined })
    await setWebhooks()
    await useAtHolder()
    await useAtOwnNode()
    await refuseMuch()
    for (const receiver of [own, shared, signed])
      await until('the revocation', () => receiver.bodies.some((body) => body.includes('key.revoked')))
  }

  async function operate<T>(question: AdminQuestion): Promise<T> {
    const { call } = await adminOf(network.holder)
    const answer = await call(question)
    assert.ok(answer.status < 300, answer.text)
    return answer.json as T
  }

  /** One with a shared secret and one with a key pair, each replaced once. */
  async function setWebhooks(): Promise<void> {
    for (const [receiver, format] of [
      [shared, 'hmac'],
      [signed, 'ed25519'],
    ] as const) {
      const path = '/v1/clients/billing/webhooks'
      const body = { url: receiver.url, format }
      type Keyed = { id: string; secret?: string; publicKey?: string }
      const { id, ...first } = await operate<Keyed>({ method: 'POST', path, body })
      const next = await operate<Keyed>({ method: 'POST', path: `${path}/${id}/secret`, body: { overlapHours: 1 } })
      receiver.trust(next.secret ?? next.publicKey ?? '')
      const { secrets } = await network.holder.running.parts.webhooks.clients.show('billing', id)
      assert.deepEqual(
        secrets.map(({ text }) => text.slice(0, 5)),
        Array.from({ length: 2 }, () => (format === 'hmac' ? 'whsec' : 'whsk_')),
      )
      if (format === 'hmac')
        assert.deepEqual(
          secrets.map(({ text }) => text),
          [next.secret, first.secret],
        )
      credentials.push(...secrets.map(({ text }) => text))
    }
  }

  /** Keys of both uses, with what is claimed with them, what the operator makes, and one that is revoked as leaked. */
  async function useAtHolder(): Promise<void> {
    const { holder } = network
    const keys = await keysOf(holder)
    for (const use of ['plain', 'hmac'] as const) {
      const key = await issueKey(holder, { use })
      const call = (text: string, draft: object = {}) =>
        send(holder, use === 'plain' ? presentKey(holder, text, draft) : signWithKey(network, { id: '', text }, draft))
      assert.equal((await call(key.text)).status, 200)
      await keys.rotations.rotate(key.id, slowly, 'operator')
      const claimed = await call(key.text, renewal)
      assert.equal(claimed.status, 201)
      const { key: next } = JSON.parse(claimed.body.toString()) as { key: string }
      assert.equal((await call(next)).status, 200)
      const leaked = await issueKey(holder, { use })
      const path = `/v1/api-keys/${leaked.id}`
      const { successor } = await operate<{ successor: { key: string } }>({
        method: 'POST',
        path: `${path}/rotate`,
        body: { successor: 'issue', overlapDays: 7 },
      })
      await operate({ method: 'POST', path: `${path}/revoke`, body: { reason: 'leaked' } })
      await refused(call(leaked.text))
      credentials.push(key.text, next, leaked.text, successor.key)
    }
  }

  async function useAtOwnNode(): Promise<void> {
    const { recipient } = network
    const key = await issueKey(recipient, {}, 'app')
    const call = (text: string, path = '/holder/items/items/7', init: RequestInit = {}) =>
      fetch(recipient.local(path), { ...init, headers: { 'comity-purpose': testPurpose, 'x-api-key': text } })
    assert.equal((await call(key.text)).status, 200)
    await (await keysOf(recipient)).rotations.rotate(key.id, slowly, 'operator')
    const claimed = await call(key.text, '/~keys/renewal', { method: 'POST' })
    assert.equal(claimed.status, 201)
    const { key: next } = (await claimed.json()) as { key: string }
    assert.equal((await call(next)).status, 200)
    await refused(call(key.text, `/holder/items/items/7?key=${key.text}`))
    await refused(call(`${key.text.slice(0, -1)}!`))
    await refused(call(key.text, '/nobody/items/items/7'))
    await refused(fetch(recipient.local(`/holder/items/${key.text}`)))
    credentials.push(key.text, next)
  }

  /** A working key in every place in which it does not belong, and one that nobody issued. */
  async function refuseMuch(): Promise<void> {
    const { holder } = network
    const { text } = await issueKey(holder)
    const random = (count: number) => new Uint8Array(randomBytes(count))
    const unknown = formatApiKey({ environment: 'live', id: newKeyId(random), secret: newKeySecret(random) })
    credentials.push(text, unknown)
    const present = (draft: object, key = text) => send(holder, presentKey(holder, key, draft))
    for (const answer of [
      present({ query: `?key=${text}` }),
      present({ path: `/x/items/items/${text}` }),
      present({ path: `/x/items/${text}` }),
      present({ path: `/${text}` }),
      present({ headers: { 'x-api-key': text } }),
      present({ headers: { cookie: `key=${text}`, 'x-note': text } }),
      present({ method: 'POST', path: '/x/items/items', body: JSON.stringify({ name: 'a', [text]: text }) }),
      present({ method: 'POST', path: '/x/items/items', body: JSON.stringify({ name: [text] }) }),
      present({}, unknown),
      present({}, `${text}x`),
      present(renewal, unknown),
      present(renewal),
      send(holder, signWithKey(network, { id: '', text: unknown })),
    ])
      await refused(answer)
    const { call, token } = await adminOf(holder)
    for (const question of [
      { path: '/v1/status', headers: { authorization: `Bearer ${text}` } },
      { path: '/v1/status', headers: { authorization: `Bearer ${token.slice(0, -1)}` } },
      { path: `/v1/api-keys/${text}` },
      { path: `/v1/status?token=${token}` },
      { path: '/v1/clients', method: 'POST', body: { id: text, kind: 'service', [token]: token } },
      { path: '/v1/clients', method: 'POST', rawBody: `{"id":"${text}` },
    ]) {
      const answer = await call(question)
      if (answer.status >= 400) said.push(answer.text)
    }
  }

  test('is planted in many ways: more than one of each kind was made, used and refused', () => {
    assert.ok(credentials.length >= 19 && new Set(credentials).size === credentials.length, String(credentials.length))
    assert.ok(said.length >= 20, String(said.length))
  })

  test('is in no line that a node logs, and in no problem', () => {
    for (const { name, logged } of nodes()) {
      assert.ok(logged.some((line) => line.includes('node.started')))
      assertFree(logged.join(''), `a log line of ${name}`, credentials)
    }
    for (const text of said) assertFree(text, `a problem (${text.slice(0, 300)})`, credentials)
  })

  test('is in no metric and no trace, and in no later answer of the admin API', async () => {
    for (const node of nodes()) {
      const { call } = await adminOf(node)
      for (const path of [
        '/metrics',
        '/v1/status',
        '/v1/clients',
        '/v1/api-keys',
        '/v1/rotations',
        '/v1/webhooks',
        '/v1/webhooks/messages',
        '/v1/quotas/requests',
        '/v1/log/events?limit=1000',
        `/v1/clients/${node === network.holder ? 'billing' : 'app'}/webhooks`,
      ]) {
        const { status, text } = await call({ path })
        assert.equal(status, 200, path)
        assertFree(text, `${path} of ${node.name}`, credentials)
      }
    }
    await until('traces', () => collector.bodies.length > 0)
    for (const node of nodes()) await node.stop()
    for (const node of nodes()) await node.start()
    assertFree(collector.bodies.join('\n'), 'a trace', credentials)
  })

  test('is in no message of a webhook', () => {
    for (const { bodies, statuses } of [own, shared, signed]) {
      assert.ok(bodies.length > 2 && statuses.includes(204))
      assertFree(bodies.join('\n'), 'a message', credentials)
    }
  })

  test('is in clear in no file of a node, its published log and its database included, nor in an event', async () => {
    for (const node of nodes()) {
      const files = await filesBelow(node.directory)
      assert.ok(files.some(([path]) => path.endsWith('comity.db')) && files.some(([path]) => path.includes('tile')))
      const ids = (await (await keysOf(node)).listKeys({ limit: 100 })).map(({ id }) => id)
      assert.ok(ids.length > 1)
      const isThere = (id: string) => files.some(([, bytes]) => bytes.includes(id))
      assert.ok(ids.every(isThere), 'what is in clear is found')
      for (const [path, bytes] of files) assertFree(bytes, path, credentials)
      const events = await node.running.parts.auditLog.readEvents({ limit: 10_000 })
      assertFree(events.map(({ body }) => body).join('\n'), `an event of ${node.name}`, credentials)
    }
  })
})

describe('a process that holds them', () => {
  const passphrase = `planted-${randomBytes(16).toString('hex')}`
  const credentials: string[] = [passphrase]
  let [root, outside, configFile] = ['', '', '']

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'comity-planted-'))
    outside = await mkdtemp(join(tmpdir(), 'comity-reports-'))
    const made = await initialise({
      directory: root,
      url: `https://localhost:${await freePort()}`,
      name: 'holder',
      method: 'web',
      address: '127.0.0.1',
      ports: { local: 0, admin: 0 },
      secret: { env: 'PLANTED_PASSPHRASE' },
      environment: { PLANTED_PASSPHRASE: passphrase },
      clock: { now: () => Date.now() },
      randomBytes: pooledRandomBytes(),
    })
    configFile = made.configFile
    credentials.push((await readFile(join(root, 'keys', 'admin.token'), 'utf8')).trim())
  })
  after(() => Promise.all([root, outside].map((directory) => rm(directory, { recursive: true }))))

  const start = (options = '') =>
    startProcess(configFile, { environment: { PLANTED_PASSPHRASE: passphrase, NODE_OPTIONS: options } })

  /** A client with a webhook and a key, which is presented, rotated and fetched. */
  async function use({ ports }: NodeProcess): Promise<void> {
    const operate = async (path: string, body: object): Promise<Record<string, string>> => {
      const headers = { authorization: `Bearer ${credentials[1]}`, 'content-type': 'application/json' }
      const init = { method: 'POST', headers, body: JSON.stringify(body) }
      const answer = await fetch(`http://127.0.0.1:${ports.admin}${path}`, init)
      assert.ok(answer.status < 300, await answer.clone().text())
      return (await answer.json()) as Record<string, string>
    }
    const { id: client = '' } = await operate('/v1/clients', { id: `app-${credentials.length}`, kind: 'application' })
    const { secret = '' } = await operate(`/v1/clients/${client}/webhooks`, { url: 'http://127.0.0.1:9/' })
    const { id = '', key = '' } = await operate(`/v1/clients/${client}/keys`, {})
    const present = (path: string, method = 'GET') =>
      fetch(`http://127.0.0.1:${ports.local}${path}`, { method, headers: { 'x-api-key': key } })
    assert.equal((await present('/nobody/items')).status, 404)
    await operate(`/v1/api-keys/${id}/rotate`, { successor: 'claim' })
    const claimed = (await (await present('/~keys/renewal', 'POST')).json()) as { key: string }
    assert.ok(claimed.key.startsWith('cmty_'))
    credentials.push(secret, key, claimed.key)
  }

  const newReport = async (): Promise<string> => {
    const names = await readdir(outside)
    return names.length === 0 ? '' : readFile(join(outside, names[0] ?? ''), 'utf8')
  }

  test('tells none of them in a report that its operator asks for, and leaves none behind when it is killed', async () => {
    await using node = await start(`--report-on-signal --report-signal=SIGUSR2 --report-directory=${outside}`)
    await use(node)
    node.signal('SIGUSR2')
    const report = await until('the report', async () => {
      const text = await newReport()
      // Whole when its last member is there.
      return text.trimEnd().endsWith('}') && text
    })
    assert.match(report, /"javascriptStack"/)
    assertFree(report, 'a report', credentials)
    node.signal('SIGSEGV')
    await node.ended
    await assertNothingLeft(node)
  })

  test('leaves none behind when it starts again and ends', async () => {
    await using node = await start()
    await use(node)
    node.signal('SIGTERM')
    assert.equal((await node.ended).code, 0)
    await assertNothingLeft(node)
  })

  async function assertNothingLeft(node: NodeProcess): Promise<void> {
    assertFree(node.logged() + node.errors(), 'what was said', credentials)
    const files = await filesBelow(root)
    assert.ok(files.some(([path]) => path.endsWith('comity.db')))
    for (const [path, bytes] of files) assertFree(bytes, path, credentials)
  }
})
