/** OWASP API8:2023. A node as `comity init` makes it is safe, and what it says tells nothing of what it is made of. */
import assert from 'node:assert/strict'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { loadConfig } from '../../src/config/config.ts'
import { adminOf } from '../admin-call.ts'
import { startConsentNetwork, type ConsentNetwork } from '../consent-network.ts'
import { send, signCall, withField } from '../signed-call.ts'
import { testPurpose } from '../test-network.ts'

describe('a node as it is made', () => {
  let network: ConsentNetwork
  before(async () => {
    network = await startConsentNetwork()
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  /** Answers of every listener: what went well, what did not, what is not there. */
  async function answersOfAll(): Promise<
    { where: string; headers: Iterable<readonly [string, string]>; text: string }[]
  > {
    const { holder, recipient } = network
    const call = signCall(network)
    const wire = await Promise.all(
      [call, withField(signCall(network), 'signature', 'x'), signCall(network, { path: '/x/items/nothing' })].map(
        async (each) => send(holder, each),
      ),
    )
    const { call: ask } = await adminOf(holder)
    const admin = await Promise.all([{ path: '/v1/status' }, { path: '/v1/nothing' }, { path: '/metrics' }].map(ask))
    const { people } = holder.running.ports
    const urls = [
      recipient.local('/holder/items/items/7'),
      recipient.local('/nobody/x'),
      `http://localhost:${people}/`,
      `http://localhost:${people}/no/such/page`,
    ]
    const fetched = await Promise.all(
      urls.map(async (url) => {
        const answer = await fetch(url, { headers: { 'comity-purpose': testPurpose } })
        return { where: url, headers: answer.headers, text: await answer.text() }
      }),
    )
    return [
      ...wire.map(({ headers, body }) => ({ where: 'public', headers, text: body.toString() })),
      ...admin.map(({ headers, text }) => ({
        where: 'admin',
        headers: Object.entries(headers).map(([name, value]) => [name, String(value)] as const),
        text,
      })),
      ...fetched,
    ]
  }

  test('tells in no answer what it runs on, opens itself to no page of another site, and shows no stack', async () => {
    for (const { where, headers, text } of await answersOfAll()) {
      for (const [name] of headers) {
        assert.ok(!/^(?:server|x-powered-by|x-aspnet|via)|^access-control-/i.test(name), `${where}: ${name}`)
      }
      assert.doesNotMatch(text, /node_modules|\.ts:\d+|\bat \w+ \(|SQLITE_|packages\//, where)
    }
  })

  test('sends pages that no other page can frame and whose scripts are its own', async () => {
    const people = network.holder.running.ports.people
    const { headers } = await fetch(`http://localhost:${people}/no/such/page`)
    const policy = headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|\*/)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
  })

  test('answers TRACE with nothing of what was sent', async () => {
    const call = withField(signCall(network, { method: 'TRACE' }), 'x-secret', 'echo-me')
    const answer = await send(network.holder, call)
    assert.ok(answer.status >= 400)
    assert.doesNotMatch(answer.body.toString(), /echo-me/)
  })

  test('keeps its secrets in files that nobody else of the machine may read', async () => {
    const { directory } = network.holder
    const keys = join(directory, 'keys')
    for (const name of await readdir(keys)) {
      assert.equal((await stat(join(keys, name))).mode & 0o077, 0, name)
    }
    assert.equal((await stat(keys)).mode & 0o077, 0)
    assert.equal((await stat(join(directory, 'comity.yaml'))).mode & 0o007, 0)
    assert.doesNotMatch(await readFile(join(keys, 'keys.json'), 'utf8'), /"d"|PRIVATE KEY/)
  })

  test('listens beyond this machine with its partners’ listener only, unless told that this is insecure', async () => {
    const { configFile } = network.recipient
    const text = await readFile(configFile, 'utf8')
    for (const listener of ['local', 'admin']) {
      const config = parse(text) as { listen: Record<string, object> }
      config.listen[listener] = { ...config.listen[listener], address: '0.0.0.0' }
      const changed = `${configFile}.changed.yaml`
      await writeFile(changed, stringify(config))
      await assert.rejects(loadConfig(changed, {}), { code: 'config-invalid' })
    }
    const { listen } = await loadConfig(configFile, {})
    assert.deepEqual([listen.local.address, listen.admin.address], ['127.0.0.1', '127.0.0.1'])
  })
})
