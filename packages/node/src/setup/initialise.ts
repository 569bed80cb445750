/** `comity init`: a directory with configuration, keys encrypted at rest and the admin token, never over an old one. */
import { access, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SignatureAlgorithm } from '@comity/core/crypto/crypto'
import { newAdminToken } from '@comity/core/api-keys/admin-token'
import { parseDid } from '@comity/core/identity/did'
import { didWebOfUrl } from '@comity/core/identity/did-web'
import { Problem } from '@comity/core/problems'
import type { Clock, RandomBytes } from '@comity/core/ports'
import type { Environment } from '../config/environment.ts'
import { spkiFingerprint } from '../http/spki-fingerprint.ts'
import { generateDidKeyKeys, generateWebKeys } from '../identity/key-generation.ts'
import { loadKeySecret, type KeySecretSource } from '../identity/key-secret.ts'
import { createKeyStore } from '../identity/key-store.ts'
import type { NodeKey } from '../identity/node-keys.ts'
import { configText } from './config-text.ts'

export interface InitialiseOptions {
  /** Created when it is not there. */
  readonly directory: string
  /** Base URL of the public listener, `https://host[:port]`. */
  readonly url: string
  readonly name: string
  /** `web` names the participant by its URL's host, `key` by a key that can never be changed. */
  readonly method: 'web' | 'key'
  /** Of the keys that sign requests, receipts and agreements; P-256 unless told. */
  readonly algorithm?: SignatureAlgorithm | undefined
  /** Ports of the listeners on this machine; the public one is the URL's unless told. */
  readonly ports?: { readonly public?: number; readonly local?: number; readonly admin?: number }
  /** Address that the public listener binds to; all interfaces unless told. */
  readonly address?: string
  /** Where the secret that encrypts the keys comes from. Without one, a key file is made beside the keys. */
  readonly secret?: KeySecretSource
  readonly environment: Environment
  /** Networks beyond the public internet that the node may call, as CIDR. */
  readonly allowPrivateAddresses?: readonly string[]
  readonly clock: Clock
  readonly randomBytes: RandomBytes
}

export interface Initialised {
  readonly did: string
  readonly configFile: string
  /** `sha256:…` of the TLS key, to be told to partners out of band. */
  readonly fingerprint: string
  /** The key file that was made because no secret was named. */
  readonly keyFile: string | undefined
}

async function refuseExisting(path: string): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  if (exists) throw new Problem('already-exists', `\`${path}\` exists; a node was initialised here`)
}

function parseBaseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url === null || url.protocol !== 'https:' || url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new Problem('config-invalid', `\`${text}\` is not an address like \`https://node.example.org:8443\``)
  }
  return url
}

async function makeKeyFile(directory: string, randomBytes: RandomBytes): Promise<string> {
  const path = join(directory, 'key-file')
  await writeFile(path, randomBytes(32), { mode: 0o600, flag: 'wx' })
  return path
}

/** Makes everything that a node needs to start. Throws `already-exists` when there is a configuration or a key file
 *  already, `config-invalid` for a URL that cannot be, `keys-locked` when the secret cannot be read. */
export async function initialise(options: InitialiseOptions): Promise<Initialised> {
  const { directory, randomBytes } = options
  const url = parseBaseUrl(options.url)
  const configFile = join(directory, 'comity.yaml')
  const keysDirectory = join(directory, 'keys')
  await refuseExisting(configFile)
  await mkdir(keysDirectory, { recursive: true, mode: 0o700 })
  await refuseExisting(join(keysDirectory, 'keys.json'))

  const keyFile = options.secret === undefined ? await makeKeyFile(keysDirectory, randomBytes) : undefined
  const source = options.secret ?? { keyFile: keyFile as string }
  const secret = await loadKeySecret(source, options.environment)
  const { did, keys } = await generateKeys(options, url)
  await createKeyStore({ directory: keysDirectory, secret, randomBytes }, keys)
  await writeFile(join(keysDirectory, 'admin.token'), `${newAdminToken(randomBytes)}\n`, { mode: 0o600, flag: 'wx' })
  await writeFile(
    configFile,
    configText({ ...options, url, did, secret: keyFile === undefined ? source : { keyFile: 'keys/key-file' } }),
    {
      flag: 'wx',
      mode: 0o640,
    },
  )
  return { did, configFile, fingerprint: tlsFingerprint(keys), keyFile }
}

async function generateKeys(options: InitialiseOptions, url: URL): Promise<{ did: string; keys: NodeKey[] }> {
  const { clock, randomBytes, algorithm } = options
  const request = { nowMs: clock.now(), hostname: url.hostname, randomBytes, algorithm }
  if (options.method === 'key') return generateDidKeyKeys(request)
  const did = didWebOfUrl(url.origin)
  parseDid(did)
  return { did, keys: await generateWebKeys(request) }
}

function tlsFingerprint(keys: readonly NodeKey[]): string {
  const certificate = keys.find(({ purpose }) => purpose === 'tls')?.certificate
  if (certificate === undefined) throw new Problem('internal-error', 'no TLS key was made')
  return spkiFingerprint(certificate)
}
