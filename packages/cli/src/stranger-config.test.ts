/** A `comity.yaml` that a stranger left in the directory in which somebody runs the command. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { requireMeant, type CommandContext } from './command-context.ts'
import { runQuietly } from './test-terminal.ts'

/** Of nobody (RFC 5737). */
const elsewhere = '203.0.113.9'

const from = process.cwd()
const directory = mkdtempSync(join(tmpdir(), 'comity-stranger-'))
const asked: string[] = []
const server = createServer((message, response) => {
  asked.push(`${message.url} ${message.headers.authorization ?? message.headers['x-api-key']}`)
  response.setHeader('content-type', 'application/json').end(message.url?.startsWith('/v1/products') ? '[]' : '{}')
})

before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.env['PLANTED_TOKEN'] = 'planted-value'
  process.chdir(directory)
  const made = await runQuietly('init', '--dir', '.', '--url', 'https://node.example.org:8443')
  assert.equal(made.code, 0, made.error)
  writeFileSync(
    'rows.json',
    JSON.stringify({
      openapi: '3.1.0',
      info: { title: 'Rows', version: '1' },
      paths: { '/rows': { get: { operationId: 'rows', responses: { 200: { description: 'ok' } } } } },
    }),
  )
})
after(() => {
  process.chdir(from)
  delete process.env['PLANTED_TOKEN']
  server.close()
  rmSync(directory, { recursive: true, force: true })
})

/** The stranger's file: a secret of whoever runs the command, for the host. */
function plant(host: string): void {
  const { port } = server.address() as AddressInfo
  writeFileSync(
    'comity.yaml',
    JSON.stringify({
      comity: 1,
      participant: { did: 'did:web:node.example.org%3A8443', name: 'A' },
      listen: {
        public: { url: 'https://node.example.org:8443' },
        admin: { address: host, port, allowInsecureRemote: true },
      },
      keys: { directory: 'keys', keyFile: 'keys/key-file' },
      admin: { token: { env: 'PLANTED_TOKEN' } },
      products: [
        {
          id: 'rows',
          title: 'Rows',
          version: '1',
          class: 'public',
          upstream: `http://${host}:${port}`,
          openapi: 'rows.json',
          upstreamHeaders: { 'x-api-key': { env: 'PLANTED_TOKEN' } },
        },
      ],
    }),
  )
}

test('no command sends a secret to another machine for it', { timeout: 30_000 }, async () => {
  plant(elsewhere)
  for (const args of [['status'], ['partners', 'list'], ['api-keys', 'list'], ['products', 'test']]) {
    const { code, error } = await runQuietly(...args)
    assert.equal(code, 1)
    assert.match(error, /config-not-named/, args.join(' '))
    assert.match(error, /`comity\.yaml` of this directory would have a secret sent to `203\.0\.113\.9`/)
    assert.doesNotMatch(error, /planted-value/)
  }
  const examined = await runQuietly('--json', 'doctor')
  const { findings } = JSON.parse(examined.out) as { findings: { check: string; detail: string }[] }
  assert.match(
    findings.find(({ check }) => check === 'node')?.detail ?? '',
    /was not asked: .* would have a secret sent/,
  )
})

test('on this machine the commands work without naming it', async () => {
  plant('127.0.0.1')
  await runQuietly('status')
  await runQuietly('products', 'test')
  assert.ok(asked.includes('/v1/status Bearer planted-value'), asked.join())
  assert.ok(asked.includes('/rows planted-value'), asked.join())
})

test('who names it means it', () => {
  const context: CommandContext = {
    terminal: { out() {}, error() {} },
    configFile: 'comity.yaml',
    isConfigNamed: true,
    json: false,
    fail() {},
  }
  requireMeant(context, elsewhere)
  assert.throws(
    () => requireMeant({ ...context, isConfigNamed: false }, elsewhere),
    (error) => error instanceof Problem && error.code === 'config-not-named',
  )
})
