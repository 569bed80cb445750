/** What `docs/operating/webhooks.md` says is signed, and its programs that verify it, as they stand on the page. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseWebhookSecret, webhookHeaders, webhookPublicKey } from '../src/webhooks/webhook-signature.ts'

const page = readFileSync(new URL('../../../docs/operating/webhooks.md', import.meta.url), 'utf8')
const program = (kind: string): string =>
  new RegExp('```' + kind + '\\n([\\s\\S]*?)```').exec(page)?.[1] ?? assert.fail(kind)
const folder = mkdtempSync(join(tmpdir(), 'comity-webhook-docs-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const versionOf = (command: string, ...args: string[]) => spawnSync(command, args, { encoding: 'utf8' }).stdout ?? ''
const hasPython = versionOf('python3', '--version').startsWith('Python 3.')
const hasOpenssl = versionOf('openssl', 'version').startsWith('OpenSSL 3.') && versionOf('bash', '--version') !== ''

const shared = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const former = `whsec_${Buffer.alloc(32, 2).toString('base64')}`
const pair = `whsk_${Buffer.alloc(32, 3).toString('base64')}`
const body = '{"type":"webhook.test","timestamp":"2026-01-05T00:00:00.000Z","data":{"name":"Zoë"}}'

function signed(secrets: string, timestamp = Math.floor(Date.now() / 1000)) {
  const headers = webhookHeaders({ id: 'msg_1', timestamp, body }, parseWebhookSecret(secrets))
  return headers as Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>
}

test('the Python of the page takes what is signed, and nothing else', { skip: !hasPython && 'no python3' }, () => {
  const file = join(folder, 'verify.py')
  const calls = 'import json, sys\nfor c in json.load(sys.stdin): print(is_genuine(c[0], c[1], c[2].encode()))\n'
  writeFileSync(file, program('python') + calls)
  const other = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
  const stale = signed(shared, Math.floor(Date.now() / 1000) - 600)
  const forged = { ...signed(shared), 'webhook-signature': 'v1,Zoë v1a,AA==' }
  const cases = [
    [shared, signed(shared), body],
    [former, signed(`${shared} ${former} ${pair}`), body],
    [other, signed(shared), body],
    [shared, signed(shared), `${body} `],
    [shared, { ...signed(shared), 'webhook-id': 'msg_2' }, body],
    [shared, stale, body],
    [shared, forged, body],
  ]
  const out = execFileSync('python3', [file], { input: JSON.stringify(cases), encoding: 'utf8' })
  assert.deepEqual(out.trim().split('\n'), ['True', 'True', ...Array.from({ length: 5 }, () => 'False')])
})

test('the commands of the page take what is signed, and nothing else', { skip: !hasOpenssl && 'no openssl 3' }, () => {
  const isGenuine = (key: string, headers: ReturnType<typeof signed>, text: string): boolean => {
    writeFileSync(join(folder, 'body'), text)
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers
    const env = { ...process.env, key, id, timestamp, signatures }
    const { stdout } = spawnSync('bash', ['-c', program('bash')], { cwd: folder, env, encoding: 'utf8' })
    return stdout.split('\n').includes('genuine')
  }
  const all = signed(`${shared} ${pair}`)
  for (const key of [shared, webhookPublicKey(pair)]) {
    assert.equal(isGenuine(key, all, body), true, key)
    assert.equal(isGenuine(key, all, `${body} `), false, key)
    assert.equal(isGenuine(key, signed(former), body), false, key)
  }
})
