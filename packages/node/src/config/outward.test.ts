/** The entries that lead to people and to the operator's own systems. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Problem } from '@comity/core/problems'
import { loadConfig } from './config.ts'
import { webhookEventTypes } from '../webhooks/webhook-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'comity-config-'))
after(() => rmSync(folder, { recursive: true, force: true }))
for (const name of ['token', 'whsec', 'cert.pem', 'key.pem']) writeFileSync(join(folder, name), 'x\n', { mode: 0o600 })

const text = (people: string, webhooks = '[]'): string => `comity: 1
participant: { did: "did:web:node.example.org", name: Federation }
listen:
  public: { url: "https://node.example.org" }
  people: ${people}
keys: { passphrase: { env: PASSPHRASE } }
admin: { token: { file: token } }
webhooks: ${webhooks}
`

function load(content: string) {
  const file = join(folder, 'comity.yaml')
  writeFileSync(file, content)
  return loadConfig(file, { PASSPHRASE: 'a passphrase' })
}

async function mistakesIn(content: string): Promise<string> {
  const error: unknown = await load(content).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof Problem && error.code === 'config-invalid', String(error))
  return (error.members['errors'] as { path: string; message: string }[])
    .map(({ path, message }) => `${path}: ${message}`)
    .join('\n')
}

test('pages for people are on loopback unless told, with the origin that people see', async () => {
  const { listen } = await load(text('{ url: "https://consent.example.org/" }'))
  assert.deepEqual(listen.people, {
    address: '127.0.0.1',
    port: 8083,
    allowInsecureRemote: false,
    url: 'https://consent.example.org',
  })
  const own = await load(text('{ url: "https://c.example", address: 0.0.0.0, tls: { cert: cert.pem, key: key.pem } }'))
  assert.equal(own.listen.people?.tls?.cert, join(folder, 'cert.pem'))
  assert.equal((await load(text('{ url: "http://localhost:8083" }'))).listen.people?.url, 'http://localhost:8083')
  const zoned = await load(text('{ url: "https://c.example", timeZone: Europe/Zurich }'))
  assert.equal(zoned.listen.people?.timeZone, 'Europe/Zurich')
})

test('refuses pages for people that others on the way could read, or that cannot be reached', async () => {
  const cases: [string, RegExp][] = [
    ['{ url: "http://consent.example.org" }', /listen\.people\.url: must be an address like/],
    ['{ url: "https://consent.example.org/c" }', /listen\.people\.url: must be an address like/],
    ['{ url: "https://c.example", address: 0.0.0.0 }', /listen\.people\.address: is reachable from other machines/],
    ['{ url: "https://c.example", port: 8082 }', /listen\.people\.port: is the port of `listen\.admin` too/],
    ['{ url: "https://c.example", tls: { cert: no.pem, key: key.pem } }', /people\.tls\.cert: there is no file/],
    ['{ url: "https://c.example", timeZone: Europe/Atlantis }', /people\.timeZone: must be a time zone such as/],
    ['{}', /listen\.people\.url: is missing/],
  ]
  for (const [people, expected] of cases) assert.match(await mistakesIn(text(people)), expected)
})

const people = '{ url: "https://c.example" }'

test('a webhook is told everything unless told what', async () => {
  const { webhooks } = await load(text(people, '[{ url: "https://p.example/h", secret: { file: whsec } }]'))
  assert.deepEqual(webhooks[0]?.events, webhookEventTypes)
  assert.equal(webhooks[0]?.timeoutMs, 10_000)
})

test('refuses a webhook over plain HTTP to another machine, a secret written out, unknown events and the same twice', async () => {
  const hook = (members: string) => text(people, `[{ ${members} }]`)
  const secret = 'secret: { file: whsec }'
  const cases: [string, RegExp][] = [
    [hook(`url: "http://p.example/h", ${secret}`), /webhooks\[0\]\.url: must be an https address/],
    [hook(`url: "http://10.0.0.1/h", ${secret}`), /webhooks\[0\]\.url: must be an https address/],
    [hook(`url: "http://127.0.0.1.evil.example/h", ${secret}`), /webhooks\[0\]\.url: must be an https address/],
    [hook(`url: "https://user:pass@p.example/h", ${secret}`), /webhooks\[0\]\.url: must be an https address/],
    [hook('url: "https://p.example/h", secret: whsec_planted'), /webhooks\[0\]\.secret: /],
    [hook('url: "https://p.example/h", secret: { file: gone }'), /there is no file `gone`/],
    [hook(`url: "https://p.example/h", ${secret}, events: [consent.asked]`), /webhooks\[0\]\.events\[0\]: /],
    [
      text(people, `[{ url: "https://p.example/h", ${secret} }, { url: "https://p.example/h", ${secret} }]`),
      /webhooks\[1\]\.url: `https:\/\/p\.example\/h` is taken by `webhooks\[0\]`/,
    ],
  ]
  for (const [content, expected] of cases) {
    const found = await mistakesIn(content)
    assert.match(found, expected)
    assert.doesNotMatch(found, /planted/)
  }
  await load(hook(`url: "http://127.0.0.1:9000/h", ${secret}`))
  await load(hook(`url: "http://[::1]:9000/h", ${secret}`))
})
