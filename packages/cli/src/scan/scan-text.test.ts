import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { newAdminToken } from '@comity/core/api-keys/admin-token'
import { formatApiKey, newKeyId, newKeySecret } from '@comity/core/api-keys/api-key'
import fc from 'fast-check'
import type { Finding } from './finding.ts'
import { scanBytes, textOf } from './scan-bytes.ts'
import { scanText } from './scan-text.ts'

const random = (count: number) => new Uint8Array(randomBytes(count))
const freshKey = (environment: 'live' | 'test' = 'live') =>
  formatApiKey({ environment, id: newKeyId(random), secret: newKeySecret(random) })

/** Rules that find something in the text, in order. */
async function rulesIn(text: string, path = 'some.txt'): Promise<string[]> {
  return (await findingsIn(text, path)).map(({ rule }) => rule)
}

async function findingsIn(text: string, path = 'some.txt'): Promise<readonly Finding[]> {
  return (await scanText({ path, text })).findings
}

test('an API key is found wherever it stands, by its public name; its secret is nowhere in what is told', async () => {
  const key = freshKey()
  for (const around of [
    (text: string) => text,
    (text: string) => `  x-api-key: "${text}"\n`,
    (text: string) => `https://x.example/?key=${text}&more=1`,
    (text: string) => `aaaa${text}bbbb`,
    (text: string) => `cmty_live_cmty_live_${text}`,
  ]) {
    const found = await findingsIn(around(key))
    assert.deepEqual(
      found.map(({ rule, excerpt, keyId }) => [rule, excerpt, keyId]),
      [['comity-api-key', `${key.slice(0, 19)}…`, key.slice(10, 18)]],
    )
    assert.ok(!JSON.stringify(found).includes(key.slice(20)))
  }
})

test('what only looks like an API key is not reported: one character changed, cut off, another environment', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 19, max: 56 }), fc.constantFrom(...'0aZ'), async (at, other) => {
      const key = freshKey('test')
      const changed = key.slice(0, at) + other + key.slice(at + 1)
      assert.deepEqual(await rulesIn(changed), changed === key ? ['comity-api-key'] : [])
    }),
    { numRuns: 100 },
  )
  assert.deepEqual(await rulesIn(freshKey().slice(0, -1)), [])
  assert.deepEqual(await rulesIn(freshKey().replace('live', 'prod')), [])
})

test('line and column are those of the secret, also behind letters of several bytes', async () => {
  const key = freshKey()
  const [found, second] = await findingsIn(`é\n\r\n  🙂 ${key}\n${key}`)
  assert.deepEqual([found?.line, found?.column, second?.line, second?.column], [3, 6, 4, 1])
})

test('private keys are found in PEM of every kind, with line ends of every kind, and as JSON Web Keys', async () => {
  const pems = [
    generateKeyPairSync('ed25519'),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ].flatMap(({ privateKey }) => [privateKey, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()])
  for (const key of pems) {
    if (typeof key !== 'string') {
      const jwk = key.export({ format: 'jwk' })
      assert.deepEqual(await rulesIn(JSON.stringify({ jwk }, null, 2)), ['private-jwk'])
      assert.deepEqual(await rulesIn(JSON.stringify({ text: JSON.stringify(jwk) })), ['private-jwk'])
      const found = JSON.stringify(await findingsIn(JSON.stringify(jwk)))
      assert.ok(!found.includes(jwk.d?.slice(0, 6) ?? '?'), found)
      continue
    }
    for (const text of [
      key,
      key.replaceAll('\n', '\r\n'),
      JSON.stringify({ key }),
      `key: |\n  ${key.replaceAll('\n', '\n  ')}`,
    ])
      assert.deepEqual(await rulesIn(text), ['private-key'], text)
  }
  const sec1 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' })
  assert.deepEqual(await rulesIn(sec1.toString()), ['private-key'])
})

test('public keys, encrypted keys and placeholders are no secrets', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const encrypted = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
  for (const text of [
    publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    JSON.stringify(publicKey.export({ format: 'jwk' })),
    encrypted.toString(),
    '-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----',
    `-----BEGIN PRIVATE KEY-----\n${'x'.repeat(64)}\n-----END PRIVATE KEY-----`,
    `{"kty":"OKP","d":"${'A'.repeat(43)}"}`,
    `{"id":"${randomBytes(32).toString('base64url')}"}`,
    'whsec_your-secret-here',
    `whsec_${'A'.repeat(44)}`,
    'COMITY_PASSPHRASE=$(cat secret)',
    'COMITY_PASSPHRASE=${PASSPHRASE}',
    'COMITY_PASSPHRASE=change-me-please',
    "passphrase: process.env['COMITY_PASSPHRASE'] ?? ''",
  ])
    assert.deepEqual(await rulesIn(text), [], text)
})

test('admin tokens, webhook secrets and passphrases of a node are found', async () => {
  assert.deepEqual(await rulesIn(`Bearer ${newAdminToken(random)}`), ['comity-admin-token'])
  assert.deepEqual(await rulesIn(`secret=whsec_${randomBytes(32).toString('base64')}`), ['webhook-secret'])
  for (const text of [
    'COMITY_PASSPHRASE=correct-horse-battery', // comity-scan: ignore
    '      COMITY_PASSPHRASE: correct-horse-battery', // comity-scan: ignore
    'export COMITY_ADMIN_TOKEN="correct-horse-battery"', // comity-scan: ignore
  ])
    assert.deepEqual(await rulesIn(text), ['comity-environment-secret'], text)
})

test('a secret written out in comity.yaml is found, where it is only named it is not', async () => {
  const text = `comity: 1
keys: { directory: keys, passphrase: correct-horse }
admin: { token: { file: admin.token } }
webhooks:
  - { url: 'https://a.example', secret: "a secret" }
  - { url: 'https://a.example', secret: { env: THE_SECRET } }
products:
  - id: athletes
    upstreamHeaders:
      x-api-key: plain-value
      x-more: { env: MORE }
`
  const found = await findingsIn(text, 'deploy/comity.yaml')
  assert.deepEqual(
    found.map(({ rule, line, column, excerpt }) => [rule, line, column, excerpt]),
    [
      ['comity-configuration-secret', 2, 38, '…'],
      ['comity-configuration-secret', 5, 41, '…'],
      ['comity-configuration-secret', 10, 18, '…'],
    ],
  )
  assert.deepEqual(await rulesIn(text, 'notes.txt'), [])
  assert.deepEqual(await rulesIn(text.replace('comity: 1', 'other: 1'), 'a.yaml'), [])
  assert.deepEqual(await rulesIn('comity: 1\nkeys: [[[\npassphrase: "', 'a.yaml'), [])
})

test('common secrets of other makers are found by the common rule set, masked', async () => {
  // Put together here, so that no scanner takes this file for a leak.
  const token = ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_')
  const address = `postgres://app:${'hunter2hunter2'}@db.example.org/app`
  const found = await findingsIn(`token: ${token}\nurl: ${address}\n`)
  assert.deepEqual(
    found.map(({ rule, line, excerpt }) => [rule, line, excerpt]),
    [
      ['github', 1, 'ghp_…'],
      ['database-connection-string', 2, 'post…'],
    ],
  )
})

test('a comment on its line or on the line before takes a finding out, and is counted', async () => {
  const key = freshKey()
  const text = `${key} // comity-scan: ignore\n# comity-scan: ignore-next-line\n${key}\n${key}\n`
  const { findings, ignored } = await scanText({ path: 'a', text })
  assert.deepEqual([findings.map(({ line }) => line), ignored], [[4], 2])
  assert.equal((await scanText({ path: 'a', text: `comity-scan: ignored\n${key}` })).findings.length, 1)
})

test('texts of UTF-16 are read with and without a mark; in other bytes with NUL only keys are looked for', async () => {
  const key = freshKey()
  const little = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(key, 'utf16le')])
  const big = Buffer.from(little).swap16()
  for (const bytes of [little, big, Buffer.concat([Buffer.from(key), Buffer.from([0xff, 0xc0])])]) {
    assert.equal((await scanBytes('a', bytes)).findings[0]?.rule, 'comity-api-key')
  }
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  for (const bytes of [Buffer.from(pem, 'utf16le'), Buffer.from(pem, 'utf16le').swap16()]) {
    assert.equal((await scanBytes('a', bytes)).findings[0]?.rule, 'private-key')
  }
  assert.deepEqual(await scanBytes('a', Buffer.from(`${pem}\0`)), { findings: [], ignored: 0, binary: true })
  const { findings, binary } = await scanBytes('a', Buffer.from(`\0\n${key}\0`))
  assert.deepEqual([findings.map(({ line, column }) => [line, column]), binary], [[[1, 3]], true])
  assert.equal(textOf(Buffer.alloc(0)), '')
})

test('a key is found once, at every byte and in every encoding, whatever stands around it', async () => {
  const encodings = [
    (text: string) => Buffer.from(text, 'latin1'),
    (text: string) => Buffer.from(text, 'utf16le'),
    (text: string) => Buffer.from(text, 'utf16le').swap16(),
  ]
  const noise = fc.uint8Array({ maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...encodings), noise, noise, async (encode, before, behind) => {
      const key = freshKey()
      const bytes = Buffer.concat([Buffer.from('\0'), before, encode(key), behind])
      const { findings } = await scanBytes('a', bytes)
      assert.deepEqual(
        findings.map(({ keyId, excerpt }) => [keyId, excerpt]),
        [[key.slice(10, 18), `${key.slice(0, 19)}…`]],
      )
    }),
    { numRuns: 200 },
  )
  const token = newAdminToken(random)
  assert.equal((await scanBytes('a', Buffer.from(`\0${token}`))).findings[0]?.rule, 'comity-admin-token')
})

test('the key file of a node and a token without a prefix are secrets as a whole', async () => {
  const rules = async (path: string, bytes: Uint8Array) =>
    (await scanBytes(path, bytes)).findings.map(({ rule }) => rule)
  assert.deepEqual(await rules('node/keys/key-file', random(32)), ['comity-key-file'])
  assert.deepEqual(await rules('node/keys/other', Buffer.from('a'.repeat(32))), [])
  assert.deepEqual(await rules('admin.token', Buffer.from(`${randomBytes(32).toString('base64url')}\n`)), [
    'comity-admin-token',
  ])
})

test('thousands of findings in one text cost no more than its length', async () => {
  const key = freshKey()
  const before = process.cpuUsage()
  const { findings } = await scanText({ path: 'a', text: `${key}\n`.repeat(100_000) })
  assert.deepEqual([findings.length, findings.at(-1)?.line, findings.at(-1)?.column], [100_000, 100_000, 1])
  // Ninety seconds where the time grows with the square, one where it does not.
  assert.ok(process.cpuUsage(before).user < 20_000_000)
})

test('a hostile text costs no more than its length', async () => {
  for (const piece of [
    'cmty_live_',
    '-----BEGIN PRIVATE KEY-----',
    '"d":"',
    'COMITY_A_A_A_A_A_A_A_',
    'whsec_AAAA',
    '"kty" ',
    'Y210eV9saXZl',
    `${'A'.repeat(76)}\n`,
    '"auth": "',
    '_auth   ',
  ]) {
    const before = process.cpuUsage()
    await scanText({ path: 'a.yaml', text: piece.repeat(Math.ceil(500_000 / piece.length)) })
    const { user } = process.cpuUsage(before)
    assert.ok(user < 20_000_000, `${piece}: ${user} µs`)
  }
})
