/** Checks that the key file has the secret that what the database keeps of people was sealed with. Changes nothing. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Problem } from '@comity/core/problems'
import { keySecretSource } from '../assembly/configured-keys.ts'
import { loadKeySecret } from '../identity/key-secret.ts'
import { openKeyStore } from '../identity/key-store.ts'
import { deriveKeys } from '../vault/derived-keys.ts'
import type { DoctorOptions } from './doctor-options.ts'
import { bad, caution, codeOf, describeError, good, type Finding } from './finding.ts'

export interface VaultFacts extends Pick<DoctorOptions, 'config' | 'environment' | 'running'> {
  readonly isNeeded: boolean
}

const check = 'vault'

export async function checkVault(facts: VaultFacts): Promise<Finding[]> {
  const { config, running, isNeeded } = facts
  // A node that has another secret than its database does not start.
  if (running !== undefined) return isNeeded ? [good(check, 'the running node has opened it')] : []
  const path = join(config.storage.directory, 'comity.db')
  if (!isNeeded || !existsSync(path)) return []
  try {
    const known = storedFingerprint(path)
    if (known === undefined) return []
    if ((await ownFingerprint(facts)) === known) return [good(check, 'the key file opens what is kept of people')]
    const detail = "the key file is not the one that the database's personal data was sealed with"
    return [bad(check, detail, 'restore `keys` and `data` of the same node: with another secret nothing can be read')]
  } catch (error) {
    // Keys that stay locked were told.
    if (codeOf(error) === 'keys-locked') return []
    return [caution(check, `cannot be told: ${describeError(error)}`, 'start the node: it refuses a wrong secret')]
  }
}

function storedFingerprint(path: string): string | undefined {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const row = database.prepare('SELECT fingerprint FROM vault_secret WHERE id = 1').get()
    return row === undefined ? undefined : String(row['fingerprint'])
  } finally {
    database.close()
  }
}

/** INVARIANT: nothing is written: a store that has no secret would make one, and is given no random bytes for it. */
async function ownFingerprint({ config, environment }: VaultFacts): Promise<string> {
  const store = openKeyStore({
    directory: config.keys.directory,
    secret: await loadKeySecret(keySecretSource(config), environment),
    randomBytes() {
      throw new Problem('keys-locked', 'the key file has no secret')
    },
  })
  return deriveKeys(await store.loadSecret()).fingerprint
}
