/** Checks that the keys can be unlocked and that nobody else can read them. Changes nothing. */
import { stat } from 'node:fs/promises'
import { keySecretSource } from '../assembly/configured-keys.ts'
import { readCertificate } from '../assembly/foundation.ts'
import { loadKeySecret } from '../identity/key-secret.ts'
import { keyFilePath } from '../identity/key-file-path.ts'
import { openKeyStore } from '../identity/key-store.ts'
import { openOwnIdentity, type OwnIdentity } from '../identity/own-identity.ts'
import type { DoctorOptions } from './doctor-options.ts'
import { bad, caution, describeError, good, type Finding } from './finding.ts'

export interface UnlockedKeys {
  readonly findings: readonly Finding[]
  /** Undefined when the keys stay locked. */
  readonly identity: OwnIdentity | undefined
}

type Options = Pick<DoctorOptions, 'config' | 'environment' | 'clock' | 'randomBytes'>

export async function checkKeys(options: Options): Promise<UnlockedKeys> {
  const { config } = options
  try {
    const identity = await openIdentity(options)
    const states = identity.keys().map(({ purpose, state }) => `${purpose} ${state}`)
    const unlocked = good('keys', `unlocked: ${states.filter((state) => !state.endsWith(' retired')).join(', ')}`)
    return { findings: [unlocked, ...(await checkModes(config))], identity }
  } catch (error) {
    const remedy = 'give the secret that `keys` in the configuration names; it is the one that `comity init` was given'
    return { findings: [bad('keys', describeError(error), remedy)], identity: undefined }
  }
}

/** The identity that the node would have, from a store that is never written: the node may be running. */
async function openIdentity({ config, environment, clock, randomBytes }: Options): Promise<OwnIdentity> {
  const secret = await loadKeySecret(keySecretSource(config), environment)
  const certificate = await readCertificate(config)
  const store = openKeyStore({ directory: config.keys.directory, secret, randomBytes })
  return openOwnIdentity({
    did: config.participant.did,
    url: config.listen.public.url,
    store: { load: () => store.load(), save: async () => {} },
    clock,
    randomBytes,
    ...(certificate === undefined ? {} : { certificate }),
  })
}

async function checkModes({ keys }: Options['config']): Promise<Finding[]> {
  if (process.platform === 'win32') return []
  const paths = [keyFilePath(keys.directory), ...(keys.keyFile === undefined ? [] : [keys.keyFile])]
  const modes = await Promise.all(paths.map(async (path) => ({ path, mode: (await stat(path)).mode })))
  return modes
    .filter(({ mode }) => (mode & 0o077) !== 0)
    .map(({ path }) => caution('keys', `${path} can be read by other users`, `chmod 600 ${path}`))
}
