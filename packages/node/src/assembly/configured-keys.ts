/** The key store that the configuration names, with the secret that unlocks it. */
import { resolve } from 'node:path'
import type { RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { Config } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import { loadKeySecret, type KeySecretSource } from '../identity/key-secret.ts'
import { openKeyStore, type KeyAhead, type KeyStore } from '../identity/key-store.ts'

export interface ConfiguredKeys {
  readonly config: Config
  readonly environment: Environment
  readonly randomBytes: RandomBytes
  readonly ahead?: KeyAhead | undefined
}

/** Throws `keys-locked` when the secret cannot be read; the keys themselves are not read yet. */
export async function openConfiguredKeyStore(keys: ConfiguredKeys): Promise<KeyStore> {
  const { config, environment, randomBytes, ahead } = keys
  const secret = await loadKeySecret(keySecretSource(config), environment)
  return openKeyStore({ directory: config.keys.directory, secret, randomBytes, ahead })
}

/** Relative paths start from the configuration's folder. */
export function keySecretSource({ keys, directory }: Config): KeySecretSource {
  const { keyFile, passphrase } = keys
  if (keyFile !== undefined) return { keyFile }
  if (passphrase === undefined) throw new Problem('keys-locked', 'the configuration names no secret for the keys')
  return 'file' in passphrase ? { file: resolve(directory, passphrase.file) } : passphrase
}
