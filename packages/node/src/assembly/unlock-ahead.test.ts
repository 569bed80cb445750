import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { readConfigFile, type ConfigFile } from '../config/config-file.ts'
import { deriveKey, type KeyDerivation } from '../identity/key-derivation.ts'
import { keyFilePath } from '../identity/key-file-path.ts'
import { generateNodeKey } from '../identity/key-generation.ts'
import type { KeySecret } from '../identity/key-secret.ts'
import { createKeyStore, openKeyStore, type KeyAhead } from '../identity/key-store.ts'
import { unlockAhead } from './unlock-ahead.ts'

const folder = await mkdtemp(join(tmpdir(), 'comity-ahead-'))
after(() => rm(folder, { recursive: true, force: true }))

const secret: KeySecret = { kind: 'passphrase', passphrase: 'correct horse battery' }
const directory = join(folder, 'keys')
const key = await generateNodeKey({
  purpose: 'log',
  nowMs: 1_000_000,
  activeAtMs: 0,
  hostname: 'a.example',
  randomBytes,
})
await createKeyStore({ directory, secret, randomBytes }, [key])
await writeFile(join(folder, 'passphrase'), `${secret.passphrase}\n`)
const { kdf } = JSON.parse(await readFile(keyFilePath(directory), 'utf8')) as { kdf: KeyDerivation }

async function written(keys: string): Promise<ConfigFile> {
  const path = join(folder, 'comity.yaml')
  await writeFile(path, `comity: 1\n${keys}`)
  return readConfigFile(path)
}

const load = (ahead: KeyAhead | undefined) => openKeyStore({ directory, secret, randomBytes, ahead }).load()

test('the key is made of the passphrase that the configuration names, wherever it is', async () => {
  const expected = Buffer.from(await deriveKey(secret, kdf))
  const environment = { PASSPHRASE: secret.passphrase }
  for (const keys of [
    'keys: { passphrase: { env: PASSPHRASE } }',
    'keys: { directory: keys, passphrase: { file: passphrase } }',
  ]) {
    const ahead = await unlockAhead(await written(keys), environment)
    assert.deepEqual([ahead?.secret, ahead?.kdf], [secret, kdf])
    assert.deepEqual(Buffer.from((await ahead?.key) ?? []), expected)
    assert.deepEqual(await load(ahead), [key])
  }
})

test('what does not plainly say of what gives nothing, and fails nothing', async () => {
  for (const keys of [
    '',
    'keys: 7',
    'keys: { passphrase: { env: MISSING } }',
    'keys: { passphrase: { file: missing } }',
    'keys: { directory: elsewhere, passphrase: { file: passphrase } }',
    'keys: { directory: [keys], passphrase: { file: passphrase } }',
    'keys: { keyFile: passphrase }',
    'keys: { passphrase: *nowhere }',
  ]) {
    assert.equal(await unlockAhead(await written(keys), {}), undefined, keys)
  }
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (value) => {
      const document = { value: { keys: value }, mistakes: [], lineOf: () => 1 }
      assert.equal(await unlockAhead({ path: 'x', file: join(folder, 'x'), document }, {}), undefined)
    }),
    { numRuns: 100 },
  )
})

test('a key that was made ahead counts only if it is of the same secret, as the file says', async () => {
  const wrong = Promise.resolve(new Uint8Array(32))
  const otherSecret: KeySecret = { kind: 'passphrase', passphrase: 'incorrect horse' }
  assert.deepEqual(await load({ secret: otherSecret, kdf, key: wrong }), [key])
  assert.ok(kdf.name === 'scrypt')
  assert.deepEqual(await load({ secret, kdf: { ...kdf, p: 1 }, key: wrong }), [key])
  await assert.rejects(load({ secret, kdf, key: wrong }), { code: 'keys-locked' })
})
