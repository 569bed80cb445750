import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { newAdminToken } from '@comity/core/api-keys/admin-token'
import { formatApiKey, newKeyId, newKeySecret } from '@comity/core/api-keys/api-key'
import fc from 'fast-check'
import { encodedTexts } from './encoded-secrets.ts'
import { scanBytes } from './scan-bytes.ts'

const random = (count: number) => new Uint8Array(randomBytes(count))
const freshKey = () => formatApiKey({ environment: 'live', id: newKeyId(random), secret: newKeySecret(random) })
const base64 = (content: string | Uint8Array) => Buffer.from(content).toString('base64')
const folded = (text: string, width: number, lineEnd = '\n') =>
  (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).join(lineEnd)

interface Told {
  readonly rule: string
  readonly place: string
  readonly encoding: string | undefined
  readonly keyId: string | undefined
}

async function toldOf(text: string | Uint8Array, path = 'some.txt'): Promise<Told[]> {
  const { findings } = await scanBytes(path, typeof text === 'string' ? Buffer.from(text) : text)
  return findings.map(({ rule, line, column, encoding, keyId }) => ({
    rule,
    place: `${line}:${column}`,
    encoding,
    keyId,
  }))
}

const keyTold = (key: string, place: string): Told => ({
  rule: 'comity-api-key',
  place,
  encoding: 'base64',
  keyId: key.slice(10, 18),
})

test('a key in the data of a Kubernetes Secret is found where it stands encoded, and told by its public name only', async () => {
  const key = freshKey()
  const manifest = (value: string) => `apiVersion: v1\nkind: Secret\ndata:\n  user: YXBw\n  comity-key: ${value}\n`
  for (const content of [key, `${key}\n`]) {
    assert.deepEqual(await toldOf(manifest(base64(content)), 'secret.yaml'), [keyTold(key, '5:15')])
  }
  const env = `# keys\nA=1\nCOMITY_KEY=${key}\nB=2\n`
  const [found, ...more] = await toldOf(manifest(base64(env)))
  assert.deepEqual([found, more], [keyTold(key, `5:${15 + Math.floor((env.indexOf(key) * 4) / 3)}`), []])
  const { findings } = await scanBytes('a', Buffer.from(manifest(base64(key))))
  assert.equal(findings[0]?.excerpt, `${key.slice(0, 19)}…`)
  assert.ok(!JSON.stringify(findings).includes(base64(key).slice(30, 50)))
})

test('a key is found at each byte of what was encoded, in both alphabets, in one line or wrapped at any width', async () => {
  const noise = fc.uint8Array({ maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(
      noise,
      noise,
      fc.constantFrom('base64' as const, 'base64url' as const),
      fc.integer({ min: 24, max: 100 }),
      fc.constantFrom('\n', '\r\n', '\n    ', '\\n'),
      async (...[before, behind, alphabet, width, lineEnd]) => {
        const key = freshKey()
        const bytes = Buffer.concat([before, Buffer.from(key), behind])
        const text = `data: "${folded(bytes.toString(alphabet), width, lineEnd)}"\n`
        const found = await toldOf(text)
        assert.deepEqual(
          found.map(({ keyId, encoding }) => [keyId, encoding]),
          [[key.slice(10, 18), 'base64']],
          text,
        )
      },
    ),
    { numRuns: 200 },
  )
})

test('the place of a key in a wrapped text is that of the letter at which it begins', async () => {
  const key = freshKey()
  const content = `${'x'.repeat(60)}\n${key}\n`
  assert.deepEqual(await toldOf(`data:\n  - |\n    ${folded(base64(content), 76, '\n    ')}\n  - word\n`), [
    keyTold(key, '4:10'),
  ])
})

test('a key in a login is found in .npmrc, in Docker’s configuration, and in that in a Kubernetes Secret', async () => {
  const key = freshKey()
  const login = base64(`user:${key}`)
  const docker = JSON.stringify({ auths: { 'registry.example.org': { auth: login } } })
  assert.deepEqual(await toldOf(`//registry.example.org/:_auth=${login}`, '.npmrc'), [keyTold(key, '1:37')])
  for (const text of [docker, `data:\n  .dockerconfigjson: ${base64(docker)}\n`, base64(base64(base64(key)))]) {
    const found = await toldOf(text)
    assert.deepEqual(
      found.map(({ keyId }) => keyId),
      [key.slice(10, 18)],
      text,
    )
  }
})

test('any other password in such a login is found too, an account without one is not', async () => {
  const login = base64('app:correct-horse-battery')
  const docker = (auth: string) => JSON.stringify({ auths: { 'registry.example.org': { auth } } }, null, 2)
  for (const text of [docker(login), `_auth = "${login}"`, `x: ${base64(docker(login))}`]) {
    const found = await toldOf(text)
    assert.deepEqual(
      found.map(({ rule }) => rule),
      ['encoded-login'],
      text,
    )
  }
  for (const text of [docker(base64('an-account-name:')), docker(base64('no colon in this')), `auth: ${login}`])
    assert.deepEqual(await toldOf(text), [], text)
})

test('admin tokens, private keys and common secrets are found in base64, UTF-16 of PowerShell included', async () => {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  // Put together here, so that no scanner takes this file for a leak.
  const forge = ['ghp', 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'].join('_')
  const command = Buffer.from(`$env:TOKEN = '${forge}'`, 'utf16le')
  for (const [content, rule] of [
    [newAdminToken(random), 'comity-admin-token'],
    [pem, 'private-key'],
    [`é token: ${forge}`, 'github'],
    [command, 'github'],
  ] as const) {
    for (const text of [`a: 1\nb: ${base64(content)}\n`, `b: ${folded(base64(content), 64)}\n`]) {
      const found = await toldOf(text)
      assert.deepEqual(
        found.map((each) => [each.rule, each.encoding]),
        [[rule, 'base64']],
        text,
      )
    }
  }
})

test('in bytes that are no text keys are found in base64 too, at the byte at which they begin', async () => {
  const key = freshKey()
  assert.deepEqual(await toldOf(Buffer.from(`\0\0${base64(key)}\0`)), [keyTold(key, '1:3')])
})

test('a comment on its line takes out what is encoded there', async () => {
  const { findings, ignored } = await scanBytes('a', Buffer.from(`k: ${base64(freshKey())} # comity-scan: ignore\n`))
  assert.deepEqual([findings, ignored], [[], 1])
})

test('what is no key is no finding: one letter changed, a checksum that is wrong, random bytes, hashes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 19, max: 56 }), fc.constantFrom(...'0aZ'), async (at, other) => {
      const key = freshKey()
      const changed = key.slice(0, at) + other + key.slice(at + 1)
      assert.deepEqual(await toldOf(`k: ${base64(changed)}`), changed === key ? [keyTold(key, '1:4')] : [])
    }),
    { numRuns: 50 },
  )
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 18, maxLength: 3_000 }), async (bytes) => {
      assert.deepEqual(await toldOf(folded(base64(bytes), 76)), [])
      assert.deepEqual(await toldOf(Buffer.from(bytes).toString('base64url')), [])
    }),
    { numRuns: 100 },
  )
  assert.deepEqual(await toldOf(folded(base64(randomBytes(500_000)), 64)), [])
})

test('what is decoded is no longer than the text it stood in, however the text is made', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.string({ unit: fc.constantFrom(...'ABCz09+/_-=\n\\ '), maxLength: 200 }),
          fc.string({ maxLength: 90 }).map((text) => folded(base64(text), 32)),
        ),
      ),
      (pieces) => {
        const text = pieces.join('\n')
        assert.ok((encodedTexts(text)?.text.length ?? 0) <= text.length)
      },
    ),
    { numRuns: 200 },
  )
})

test('megabytes of base64 in one run, in lines, or in short runs are looked through', async () => {
  const key = freshKey()
  const long = base64('x'.repeat(3_000_000) + key)
  for (const text of [long, folded(long, 76), `${base64('y'.repeat(18))}\n`.repeat(100_000) + base64(key)]) {
    assert.equal((await toldOf(text)).length, 1)
  }
})
