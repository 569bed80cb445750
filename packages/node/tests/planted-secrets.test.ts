/** Secrets and personal data that pass through a node, or lie in it, are in nothing that it says: not in log lines,
 *  problems, metrics, traces of the audit log that the world can read, nor in the bodies of its events. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { adminOf } from './admin-call.ts'
import { send, signCall, withField } from './signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork, type TestNode } from './test-network.ts'

const planted = {
  upstreamCredential: 'planted-upstream-credential-9d2c',
  authorization: 'planted-authorization-5e5e',
  cookie: 'planted-cookie-1b1b',
  subject: 'planted-subject-kim-jansen',
  bodyName: 'planted-body-Kim Jansen',
  badMember: 'planted-member-value-8080',
  query: 'planted-query-value-4242',
  path: 'planted-path-value-3131',
  field: 'planted-field-value-6464',
  upstreamError: 'planted-stack-trace-of-the-upstream',
  answer: 'planted-answer-of-a-person',
} as const

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

describe('of secrets and personal data', () => {
  let network: TestNetwork
  let outside: string
  const problems: string[] = []
  before(async () => {
    outside = await mkdtemp(join(tmpdir(), 'comity-planted-'))
    const file = join(outside, 'credential')
    await writeFile(file, planted.upstreamCredential, { mode: 0o600 })
    network = await startTestNetwork({
      holder: (config) => {
        Object.assign(config['limits'] as object, { failures: { requests: 10_000, perSeconds: 1 } })
        for (const product of config['products'] as Record<string, unknown>[]) {
          product['upstreamHeaders'] = { 'x-api-key': { file } }
        }
      },
    })
    await network.agree()
    await callInManyWays()
    await network.holder.running.parts.auditLog.integrate()
    await network.recipient.running.parts.auditLog.integrate()
  })
  after(async () => {
    await network[Symbol.asyncDispose]()
    await rm(outside, { recursive: true })
  })

  /** Allowed, refused and failed calls with planted values in every part of them. */
  async function callInManyWays(): Promise<void> {
    const fields = { authorization: planted.authorization, cookie: planted.cookie, 'x-more': planted.field }
    const local = async (path: string, init: RequestInit = {}) => {
      const headers = { 'comity-purpose': testPurpose, 'comity-subject': planted.subject, ...fields, ...init.headers }
      const answer = await fetch(network.recipient.local(path), { ...init, headers })
      const text = await answer.text()
      if (answer.status >= 400) problems.push(text)
      return answer.status
    }
    const post = (body: unknown, headers: Record<string, string> = {}) =>
      local('/holder/items/items', {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      })
    assert.equal(await local('/holder/items/items/7'), 200)
    assert.equal(await post({ name: planted.bodyName }, { 'idempotency-key': `"${planted.field}"` }), 201)
    assert.equal(await post({ name: planted.bodyName, more: planted.badMember }), 422)
    assert.equal(await post({ name: [planted.badMember] }), 422)
    assert.equal(await local(`/holder/items/items?limit=${planted.query}`), 400)
    assert.equal(await local(`/holder/items/items/${planted.path}`), 400)
    assert.equal(await local(`/holder/items/${planted.path}`), 404)
    network.upstream.behave = (_, response: ServerResponse) => void response.writeHead(500).end(planted.upstreamError)
    assert.equal(await local('/holder/items/items/7'), 502)
    network.upstream.behave = (_, response: ServerResponse) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ id: planted.answer, name: 7 }))
    }
    assert.equal(await local('/holder/items/items/7'), 502)
    network.upstream.behave = undefined
    await callBare(fields)
  }

  /** Past the recipient's node, which would leave out what is not its to send. */
  async function callBare(fields: Record<string, string>): Promise<void> {
    const all = { 'comity-purpose': testPurpose, 'comity-subject': planted.subject, ...fields }
    const calls = [
      signCall(network, { headers: all }),
      signCall(network, { headers: all, path: '/x/items/items', query: `?more=${planted.query}` }),
      withField(signCall(network, { headers: all }), 'authorization', `Bearer ${planted.authorization} changed`),
      withField(signCall(network, { headers: all }), 'signature', planted.field),
      withField(signCall(network), 'host', 'evil.example'),
    ]
    for (const call of calls) {
      const answer = await send(network.holder, call)
      if (answer.status >= 400) problems.push(answer.body.toString())
    }
    assert.equal(network.upstream.seen.at(-1)?.headers['x-api-key'], planted.upstreamCredential)
  }

  async function privateKeyTexts(node: TestNode): Promise<string[]> {
    const { foundation } = node.running.parts
    const token = (await readFile(join(node.directory, 'keys/admin.token'), 'utf8')).trim()
    const [pem = ''] = foundation.identity.tls().key.split('\n').slice(1)
    const keyFile = await readFile(join(node.directory, 'keys/key-file'))
    return [token, pem, keyFile.toString('base64url'), keyFile.toString('hex')]
  }

  async function assertFree(node: TestNode, text: string, where: string): Promise<void> {
    for (const secret of [...Object.values(planted), ...(await privateKeyTexts(node))]) {
      assert.ok(!text.includes(secret), `${where} of ${node.name} holds \`${secret}\``)
      for (const form of ['base64', 'base64url', 'hex'] as const) {
        assert.ok(!text.includes(Buffer.from(secret).toString(form)), `${where} holds \`${secret}\` as ${form}`)
      }
    }
    assert.ok(!text.includes('PRIVATE KEY') && !/"d":"/.test(text), `${where} holds a private key`)
  }

  test('nothing is in the lines that a node logs', async () => {
    for (const node of [network.holder, network.recipient]) {
      assert.ok(node.logged.length > 5)
      await assertFree(node, node.logged.join(''), 'a log line')
    }
  })

  test('nothing is in problems, not even of what was wrong in them', async () => {
    assert.ok(problems.length >= 10, `${problems.length}`)
    await assertFree(network.holder, problems.join('\n'), 'a problem')
  })

  test('nothing is in metrics and status', async () => {
    for (const node of [network.holder, network.recipient]) {
      const admin = await adminOf(node)
      for (const path of ['/metrics', '/v1/status']) await assertFree(node, (await admin.call({ path })).text, path)
    }
  })

  test('nothing is in the published log, nor in the events behind it', async () => {
    for (const node of [network.holder, network.recipient]) {
      const files = await filesBelow(join(node.directory, 'log'))
      assert.ok(files.some((path) => path.includes('tile')))
      const contents = await Promise.all(files.map((path) => readFile(path, 'latin1')))
      await assertFree(node, contents.join('\n'), 'the published log')
      const events = await node.running.parts.auditLog.readEvents({ limit: 10_000 })
      await assertFree(node, events.map(({ body }) => body).join('\n'), 'an event')
    }
  })

  test('no credential and no private key is in a file of the node that is not a key file', async () => {
    for (const node of [network.holder, network.recipient]) {
      const files = (await filesBelow(node.directory)).filter((path) => !path.includes('/keys/'))
      const secrets = [planted.upstreamCredential, ...(await privateKeyTexts(node))]
      for (const path of files) {
        const content = await readFile(path, 'latin1')
        for (const secret of secrets) assert.ok(!content.includes(secret), `${path} holds \`${secret}\``)
      }
    }
  })
})
