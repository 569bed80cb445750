/** A passphrase takes a fifth of a second to become a key, on another thread. A start lets that begin before it has loaded
 *  what checks the configuration; what is wrong with either is told by who checks it. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { ConfigFile } from '../config/config-file.ts'
import type { Environment } from '../config/environment.ts'
import { deriveKey, isKeyDerivation } from '../identity/key-derivation.ts'
import { keyFilePath } from '../identity/key-file-path.ts'
import { loadKeySecret } from '../identity/key-secret.ts'
import type { KeyAhead } from '../identity/key-store.ts'

/** The derivation has begun when this resolves; undefined when the file does not plainly say of what. Never throws. */
export async function unlockAhead(read: ConfigFile, environment: Environment): Promise<KeyAhead | undefined> {
  try {
    const directory = dirname(read.file)
    const { directory: keys = 'keys', passphrase } = section(section(read.document.value)['keys'])
    const { env, file } = section(passphrase)
    if (typeof keys !== 'string') return undefined
    const source = typeof file === 'string' ? { file: resolve(directory, file) } : { env: String(env) }
    const secret = await loadKeySecret(source, environment)
    const { kdf } = JSON.parse(readFileSync(keyFilePath(resolve(directory, keys)), 'utf8')) as { kdf: unknown }
    if (!isKeyDerivation(kdf)) return undefined
    const key = deriveKey(secret, kdf)
    key.catch(() => undefined)
    return { secret, kdf, key }
  } catch {
    return undefined
  }
}

function section(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
