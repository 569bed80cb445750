import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { deriveKey, newDerivation } from './key-derivation.ts'
import { sealEnvelope } from './key-envelope.ts'
import { keyFilePath } from './key-file-path.ts'
import { createKeyStore, openKeyStore } from './key-store.ts'
import { loadKeySecret, type KeySecret } from './key-secret.ts'
import { generateNodeKey } from './key-generation.ts'

const root = await mkdtemp(join(tmpdir(), 'comity-keys-'))
after(() => rm(root, { recursive: true, force: true }))

const secret: KeySecret = { kind: 'passphrase', passphrase: 'correct horse battery' }
const fileSecret: KeySecret = { kind: 'key-file', bytes: new Uint8Array(32).fill(7) }
const request = { nowMs: 1_000_000, activeAtMs: 0, hostname: 'a.example', randomBytes }
const key = await generateNodeKey({ ...request, purpose: 'authentication' })
const other = await generateNodeKey({ ...request, purpose: 'log' })
const locked = { code: 'keys-locked' }
let count = 0
const freshDirectory = () => join(root, String(count++))
const create = async (used: KeySecret = fileSecret) => {
  const directory = freshDirectory()
  const store = await createKeyStore({ directory, secret: used, randomBytes }, [key])
  return { directory, store, path: keyFilePath(directory) }
}

test('gives back what was stored, with a passphrase and with a key file', async () => {
  for (const used of [secret, fileSecret]) {
    const { directory, store } = await create(used)
    assert.deepEqual(await store.load(), [key])
    await store.save([key, other])
    assert.deepEqual(await openKeyStore({ directory, secret: used, randomBytes }).load(), [key, other])
  }
})

test('has read the file and begun to derive the key when `load` gives its promise', async () => {
  const { directory, path } = await create(secret)
  const loading = openKeyStore({ directory, secret, randomBytes }).load()
  rmSync(path)
  assert.deepEqual(await loading, [key])
})

test('the file is for its owner only and shows no private key', async () => {
  const { directory, path } = await create()
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.equal((await stat(directory)).mode & 0o777, 0o700)
  const text = await readFile(path, 'utf8')
  assert.ok('x' in key.jwk && !text.includes(String(key.jwk.d)) && !text.includes(key.jwk.x))
})

test('refuses a wrong passphrase, another kind of secret and a wrong key file', async () => {
  const { directory } = await create(secret)
  const wrong: KeySecret = { kind: 'passphrase', passphrase: 'incorrect horse' }
  await assert.rejects(openKeyStore({ directory, secret: wrong, randomBytes }).load(), locked)
  await assert.rejects(openKeyStore({ directory, secret: fileSecret, randomBytes }).load(), locked)
  const { directory: second } = await create(fileSecret)
  const bytes = new Uint8Array(32).fill(8)
  await assert.rejects(
    openKeyStore({ directory: second, secret: { kind: 'key-file', bytes }, randomBytes }).load(),
    locked,
  )
})

test('the secret of the node is made once and stays through every save', async () => {
  const { directory, store, path } = await create()
  const made = await store.loadSecret()
  assert.equal(made.length, 32)
  await Promise.all([store.save([key, other]), store.loadSecret(), store.save([other])])
  const again = openKeyStore({ directory, secret: fileSecret, randomBytes })
  await again.save([key])
  assert.deepEqual(new Uint8Array(await again.loadSecret()), new Uint8Array(made))
  assert.notDeepEqual(await (await create()).store.loadSecret(), made)
  assert.ok(!(await readFile(path, 'utf8')).includes(Buffer.from(made).toString('base64url')))
})

test('a file of an earlier version, without a secret, opens and is given one', async () => {
  const { directory, path } = await create()
  const kdf = newDerivation(fileSecret, randomBytes)
  const options = { kdf, key: await deriveKey(fileSecret, kdf), randomBytes }
  await writeFile(path, sealEnvelope(JSON.stringify({ keys: [key] }), options))
  const store = openKeyStore({ directory, secret: fileSecret, randomBytes })
  assert.deepEqual(await store.load(), [key])
  const [made, same] = await Promise.all([store.loadSecret(), store.loadSecret()])
  assert.deepEqual(new Uint8Array(made), new Uint8Array(same))
  const later = openKeyStore({ directory, secret: fileSecret, randomBytes })
  assert.deepEqual(new Uint8Array(await later.loadSecret()), new Uint8Array(made))
  assert.deepEqual(await later.load(), [key])
})

test('a save refuses to write over a file that it cannot read: the secret would be lost', async () => {
  const { directory, path } = await create()
  const whole = await readFile(path, 'utf8')
  const wrong: KeySecret = { kind: 'key-file', bytes: new Uint8Array(32).fill(8) }
  const store = openKeyStore({ directory, secret: wrong, randomBytes })
  await assert.rejects(store.save([key]), { code: 'storage-failed' })
  assert.equal(await readFile(path, 'utf8'), whole)
})

test('refuses a file in which any member was changed', async () => {
  const { directory, path } = await create()
  const whole = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  const flip = (text: string) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1)
  const kdf = whole['kdf'] as { name: string; salt: string }
  const changes = [
    { ciphertext: flip(String(whole['ciphertext'])) },
    { ciphertext: String(whole['ciphertext']).slice(0, -4) },
    { ciphertext: '' },
    { nonce: flip(String(whole['nonce'])) },
    { kdf: { ...kdf, salt: flip(kdf.salt) } },
    { kdf: { name: 'scrypt', N: 1024, r: 8, p: 1, salt: kdf.salt } },
    { kdf: { name: 'none' } },
    { version: 2 },
    { cipher: 'aes-256-cbc' },
    { added: true },
  ]
  for (const change of changes) {
    await writeFile(path, JSON.stringify({ ...whole, ...change }))
    await assert.rejects(
      openKeyStore({ directory, secret: fileSecret, randomBytes }).load(),
      locked,
      JSON.stringify(change),
    )
  }
  for (const text of ['', '{', '[]', JSON.stringify(whole).slice(0, -20)]) {
    await writeFile(path, text)
    await assert.rejects(openKeyStore({ directory, secret: fileSecret, randomBytes }).load(), locked, text)
  }
})

test('refuses scrypt parameters that were changed, though they are within bounds', async () => {
  const { directory, path } = await create(secret)
  const whole = JSON.parse(await readFile(path, 'utf8')) as { kdf: { p: number } }
  await writeFile(path, JSON.stringify({ ...whole, kdf: { ...whole.kdf, p: 1 } }))
  await assert.rejects(openKeyStore({ directory, secret, randomBytes }).load(), locked)
})

test('never overwrites keys that are there, nor makes them with a short passphrase', async () => {
  const { directory, store } = await create()
  await assert.rejects(createKeyStore({ directory, secret: fileSecret, randomBytes }, []), { code: 'already-exists' })
  assert.deepEqual(await store.load(), [key])
  const short: KeySecret = { kind: 'passphrase', passphrase: 'short' }
  await assert.rejects(createKeyStore({ directory: freshDirectory(), secret: short, randomBytes }, []), locked)
})

test('says so when there are no keys', async () => {
  await assert.rejects(openKeyStore({ directory: freshDirectory(), secret, randomBytes }).load(), locked)
})

test('a save that fails leaves the old keys and no rest', { skip: process.getuid?.() === 0 }, async () => {
  const { directory, store } = await create()
  await chmod(directory, 0o500)
  await assert.rejects(store.save([key, other]), { code: 'storage-failed' })
  await chmod(directory, 0o700)
  assert.deepEqual(await store.load(), [key])
  assert.deepEqual(await readdir(directory), ['keys.json'])
})

test('a save that cannot take its place fails without a rest', async () => {
  const { directory, store, path } = await create()
  await rm(path)
  await mkdir(join(path, 'in-the-way'), { recursive: true })
  await assert.rejects(store.save([key]), { code: 'storage-failed' })
  assert.deepEqual(await readdir(directory), ['keys.json'])
})

test('a process killed while it saves leaves a file that opens, with the old keys or the new', async () => {
  const { directory } = await create()
  const script = `
    import { randomBytes } from 'node:crypto'
    import { openKeyStore } from ${JSON.stringify(new URL('./key-store.ts', import.meta.url).href)}
    const secret = { kind: 'key-file', bytes: new Uint8Array(32).fill(7) }
    const store = openKeyStore({ directory: ${JSON.stringify(directory)}, secret, randomBytes })
    const [key] = await store.load()
    process.stdout.write('.')
    for (let n = 1; ; n = (n % 200) + 1) await store.save(Array.from({ length: n }, () => key))`
  for (let round = 0; round < 4; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    await new Promise((resolve) => setTimeout(resolve, 20 + round * 17))
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    const keys = await openKeyStore({ directory, secret: fileSecret, randomBytes }).load()
    assert.ok(keys.length >= 1)
    assert.deepEqual(keys[0], key)
  }
  await openKeyStore({ directory, secret: fileSecret, randomBytes }).save([key])
  assert.deepEqual(await readdir(directory), ['keys.json'])
})

test('reads the secret from the environment, from a file and from a key file', async () => {
  const passphraseFile = join(root, 'passphrase')
  await writeFile(passphraseFile, 'from a file\n')
  assert.deepEqual(await loadKeySecret({ file: passphraseFile }, {}), { kind: 'passphrase', passphrase: 'from a file' })
  const fromEnvironment = await loadKeySecret({ env: 'PASS' }, { PASS: 'from outside' })
  assert.deepEqual(fromEnvironment, { kind: 'passphrase', passphrase: 'from outside' })
  const keyFile = join(root, 'key')
  await writeFile(keyFile, new Uint8Array(32).fill(9))
  assert.equal((await loadKeySecret({ keyFile }, {})).kind, 'key-file')
})

test('says which secret is missing, without saying any', async () => {
  const short = join(root, 'short')
  await writeFile(short, 'x')
  for (const source of [{ env: 'NONE' }, { file: join(root, 'none') }, { keyFile: short }]) {
    await assert.rejects(loadKeySecret(source, { OTHER: 'x' }), locked)
  }
})
