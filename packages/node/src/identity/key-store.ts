/** The node's private keys and its secret at rest: one encrypted file, `keys.json`, in the keys directory. The secret
 *  is what the vault's keys and names of people follow from: 32 random bytes, made once, which no rotation touches. */
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { decodeBase64url, encodeBase64url } from '@comity/core/bytes/base64url'
import type { RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import { writeFileAtomically, type AtomicWrite } from './atomic-file.ts'
import { deriveKey, newDerivation, type KeyDerivation } from './key-derivation.ts'
import { openEnvelope, parseEnvelope, sealEnvelope } from './key-envelope.ts'
import { keyFilePath } from './key-file-path.ts'
import { minPassphraseLength, type KeySecret } from './key-secret.ts'
import { nodeKeySchema, type NodeKey } from './node-keys.ts'

/** Where keys are kept. */
export interface KeyStore {
  /** The derivation of the key has begun, on another thread, when the promise is there. Throws `keys-locked` when there
   *  are no keys, the secret is wrong or the file was changed. */
  load(): Promise<readonly NodeKey[]>
  /** Replaces all keys; they are on disk when the promise resolves. The node's secret stays. Throws `storage-failed`. */
  save(keys: readonly NodeKey[]): Promise<void>
  /** The node's secret, 32 bytes. A file of an earlier version, which has none, is given one. Throws `keys-locked`,
   *  `storage-failed`. */
  loadSecret(): Promise<Uint8Array>
}

export interface KeyStoreOptions {
  readonly directory: string
  readonly secret: KeySecret
  readonly randomBytes: RandomBytes
  /** A derivation that began before; it counts if it is of this secret and as the file says. */
  readonly ahead?: KeyAhead | undefined
}

/** A derivation under way. */
export interface KeyAhead extends Unlocked {
  readonly secret: KeySecret
}

interface Unlocked {
  readonly kdf: KeyDerivation
  /** Settles when the key is derived; whoever asks meanwhile waits for the same derivation. */
  readonly key: Promise<Uint8Array>
}

const contentSchema = z.strictObject({
  keys: z.array(nodeKeySchema).max(1000),
  /** Base64url. */
  secret: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .optional(),
})

type Content = Readonly<z.infer<typeof contentSchema>>

const secretBytes = 32

/** The key store of a directory that `createKeyStore` made. Nothing is read before `load`. The derived key is kept in
 *  memory, so that a rotation need not ask for the passphrase again. */
export function openKeyStore(options: KeyStoreOptions): KeyStore {
  return new FileKeyStore(options)
}

class FileKeyStore implements KeyStore {
  readonly #options: KeyStoreOptions
  #unlocked: Unlocked | undefined
  /** Settles when the last write has ended: each reads the file and writes it anew. */
  #writing: Promise<unknown> = Promise.resolve()

  constructor(options: KeyStoreOptions) {
    const { ahead, secret } = options
    this.#options = options
    this.#unlocked = isDeepStrictEqual(ahead?.secret, secret) ? ahead : undefined
  }

  async load(): Promise<readonly NodeKey[]> {
    return (await this.#read()).content.keys
  }

  save(keys: readonly NodeKey[]): Promise<void> {
    return this.#oneByOne(async () => {
      // Without what is there the secret would be lost, and with it everything that was sealed.
      const { content, unlocked } = await this.#read().catch(storageFailed)
      await write(this.#options, { ...content, keys: [...keys] }, { unlocked, mode: 'replace' })
    })
  }

  loadSecret(): Promise<Uint8Array> {
    return this.#oneByOne(async () => {
      const { content, unlocked } = await this.#read()
      if (content.secret !== undefined) return decodeBase64url(content.secret)
      const secret = this.#options.randomBytes(secretBytes)
      const next = { ...content, secret: encodeBase64url(secret) }
      await write(this.#options, next, { unlocked, mode: 'replace' })
      return secret
    })
  }

  async #read(): Promise<{ content: Content; unlocked: Unlocked }> {
    const { directory } = this.#options
    const envelope = parseEnvelope(readKeyFile(directory))
    const unlocked = this.#unlock(envelope.kdf)
    return { content: parseContent(openEnvelope(envelope, await unlocked.key)), unlocked }
  }

  #unlock(kdf: KeyDerivation): Unlocked {
    if (this.#unlocked === undefined || !isDeepStrictEqual(this.#unlocked.kdf, kdf)) {
      this.#unlocked = { kdf, key: deriveKey(this.#options.secret, kdf) }
    }
    return this.#unlocked
  }

  #oneByOne<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#writing.then(work)
    this.#writing = done.catch(() => undefined)
    return done
  }
}

/** Makes the directory (0700) and the key file with its first keys and the node's secret. Throws `already-exists` when the file is there,
 *  `keys-locked` when the passphrase is shorter than 8 characters, and `storage-failed`. */
export async function createKeyStore(options: KeyStoreOptions, keys: readonly NodeKey[]): Promise<KeyStore> {
  const { secret, directory } = options
  if (secret.kind === 'passphrase' && secret.passphrase.length < minPassphraseLength) {
    throw new Problem('keys-locked', `the passphrase has fewer than ${minPassphraseLength} characters`)
  }
  await mkdir(directory, { recursive: true, mode: 0o700 }).catch(storageFailed)
  const content = { keys: [...keys], secret: encodeBase64url(options.randomBytes(secretBytes)) }
  await write(options, content, { unlocked: unlockAnew(options), mode: 'create' })
  return openKeyStore(options)
}

function unlockAnew({ secret, randomBytes }: KeyStoreOptions): Unlocked {
  const kdf = newDerivation(secret, randomBytes)
  return { kdf, key: deriveKey(secret, kdf) }
}

async function write(
  { directory, randomBytes }: KeyStoreOptions,
  content: Content,
  { unlocked, mode }: { unlocked: Unlocked; mode: AtomicWrite['mode'] },
): Promise<void> {
  const { kdf } = unlocked
  const sealed = sealEnvelope(JSON.stringify(content), { kdf, key: await unlocked.key, randomBytes })
  const path = keyFilePath(directory)
  await writeFileAtomically({ path, content: sealed, mode, randomBytes }).catch(storageFailed)
}

/** Not in the background: a start would have its thread busy with other things before the derivation could begin. */
function readKeyFile(directory: string): string {
  try {
    return readFileSync(keyFilePath(directory), 'utf8')
  } catch (cause) {
    const path = keyFilePath(directory)
    throw new Problem('keys-locked', `the key file \`${path}\` cannot be read; \`comity init\` makes one`, { cause })
  }
}

function parseContent(text: string): Content {
  try {
    return contentSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new Problem('keys-locked', 'the key file holds keys of a form that this version does not know', { cause })
  }
}

function storageFailed(cause: unknown): never {
  const { code } = cause as { code?: string }
  if (code === 'EEXIST') throw new Problem('already-exists', 'there are keys in this directory already', { cause })
  throw new Problem('storage-failed', 'the keys could not be written', { cause })
}
