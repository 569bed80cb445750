/** The node's private keys at rest: one encrypted file, `keys.json`, in the keys directory. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import { writeFileAtomically, type AtomicWrite } from './atomic-file.ts'
import {
  deriveKey,
  newDerivation,
  openEnvelope,
  parseEnvelope,
  sealEnvelope,
  type KeyDerivation,
} from './key-envelope.ts'
import { minPassphraseLength, type KeySecret } from './key-secret.ts'
import { nodeKeySchema, type NodeKey } from './node-keys.ts'

/** Where keys are kept. */
export interface KeyStore {
  /** Throws `keys-locked` when there are no keys, the secret is wrong or the file was changed. */
  load(): Promise<readonly NodeKey[]>
  /** Replaces all keys; they are on disk when the promise resolves. Throws `storage-failed`. */
  save(keys: readonly NodeKey[]): Promise<void>
}

export interface KeyStoreOptions {
  readonly directory: string
  readonly secret: KeySecret
  readonly randomBytes: RandomBytes
}

interface Unlocked {
  readonly kdf: KeyDerivation
  /** Settles when the key is derived; whoever asks meanwhile waits for the same derivation. */
  readonly key: Promise<Uint8Array>
}

const contentSchema = z.strictObject({ keys: z.array(nodeKeySchema).max(1000) })

/** Path of the key file in a keys directory. */
export function keyFilePath(directory: string): string {
  return join(directory, 'keys.json')
}

/** The key store of a directory that `createKeyStore` made. Nothing is read before `load`. The derived key is kept in
 *  memory, so that a rotation need not ask for the passphrase again. */
export function openKeyStore(options: KeyStoreOptions): KeyStore {
  let unlocked: Unlocked | undefined
  return {
    async load() {
      const envelope = parseEnvelope(await readKeyFile(options.directory))
      if (unlocked?.kdf.salt !== envelope.kdf.salt) {
        unlocked = { kdf: envelope.kdf, key: deriveKey(options.secret, envelope.kdf) }
      }
      return parseContent(openEnvelope(envelope, await unlocked.key))
    },
    async save(keys) {
      unlocked ??= unlockAnew(options)
      await write(options, keys, { unlocked, mode: 'replace' })
    },
  }
}

/** Makes the directory (0700) and the key file with its first keys. Throws `already-exists` when the file is there,
 *  `keys-locked` when the passphrase is shorter than 8 characters, and `storage-failed`. */
export async function createKeyStore(options: KeyStoreOptions, keys: readonly NodeKey[]): Promise<KeyStore> {
  const { secret, directory } = options
  if (secret.kind === 'passphrase' && secret.passphrase.length < minPassphraseLength) {
    throw new Problem('keys-locked', `the passphrase has fewer than ${minPassphraseLength} characters`)
  }
  await mkdir(directory, { recursive: true, mode: 0o700 }).catch(storageFailed)
  await write(options, keys, { unlocked: unlockAnew(options), mode: 'create' })
  return openKeyStore(options)
}

function unlockAnew({ secret, randomBytes }: KeyStoreOptions): Unlocked {
  const kdf = newDerivation(secret, randomBytes)
  return { kdf, key: deriveKey(secret, kdf) }
}

async function write(
  { directory, randomBytes }: KeyStoreOptions,
  keys: readonly NodeKey[],
  { unlocked, mode }: { unlocked: Unlocked; mode: AtomicWrite['mode'] },
): Promise<void> {
  const { kdf } = unlocked
  const content = sealEnvelope(JSON.stringify({ keys }), { kdf, key: await unlocked.key, randomBytes })
  const path = keyFilePath(directory)
  await writeFileAtomically({ path, content, mode, randomBytes }).catch(storageFailed)
}

async function readKeyFile(directory: string): Promise<string> {
  try {
    return await readFile(keyFilePath(directory), 'utf8')
  } catch (cause) {
    const path = keyFilePath(directory)
    throw new Problem('keys-locked', `the key file \`${path}\` cannot be read; \`comity init\` makes one`, { cause })
  }
}

function parseContent(text: string): readonly NodeKey[] {
  try {
    return contentSchema.parse(JSON.parse(text)).keys
  } catch (cause) {
    throw new Problem('keys-locked', 'the key file holds keys of a form that this version does not know', { cause })
  }
}

function storageFailed(cause: unknown): never {
  const { code } = cause as { code?: string }
  if (code === 'EEXIST') throw new Problem('already-exists', 'there are keys in this directory already', { cause })
  throw new Problem('storage-failed', 'the keys could not be written', { cause })
}
