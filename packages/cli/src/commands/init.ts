/** `comity init`. */
import { pooledRandomBytes } from '@comity/node/assembly/world'
import { initialise, type InitialiseOptions } from '@comity/node/setup/initialise'
import { readEnvironment } from '@comity/node/config/environment'
import type { KeySecretSource } from '@comity/node/identity/key-secret'
import type { SignatureAlgorithm } from '@comity/core/crypto/crypto'
import { Problem } from '@comity/core/problems'
import { resolve } from 'node:path'
import { show, type CommandContext } from '../command-context.ts'

export interface InitArguments {
  readonly url: string
  readonly dir: string
  readonly name?: string
  readonly didKey: boolean
  readonly algorithm: SignatureAlgorithm
  readonly address?: string
  readonly port?: number
  readonly localPort?: number
  readonly adminPort?: number
  readonly passphraseEnv?: string
  readonly passphraseFile?: string
  readonly keyFile?: string
  readonly allowPrivate?: string[]
}

function secretOf({ passphraseEnv, passphraseFile, keyFile }: InitArguments): KeySecretSource | undefined {
  const named = [passphraseEnv, passphraseFile, keyFile].filter((place) => place !== undefined)
  if (named.length > 1) throw new Problem('config-invalid', 'name one place for the secret of the keys, not several')
  if (passphraseEnv !== undefined) return { env: passphraseEnv }
  if (passphraseFile !== undefined) return { file: resolve(passphraseFile) }
  return keyFile === undefined ? undefined : { keyFile: resolve(keyFile) }
}

export async function init(context: CommandContext, args: InitArguments): Promise<void> {
  const secret = secretOf(args)
  const ports = {
    ...(args.port === undefined ? {} : { public: args.port }),
    ...(args.localPort === undefined ? {} : { local: args.localPort }),
    ...(args.adminPort === undefined ? {} : { admin: args.adminPort }),
  }
  const options: InitialiseOptions = {
    directory: resolve(args.dir),
    url: args.url,
    name: args.name ?? URL.parse(args.url)?.hostname ?? args.url,
    method: args.didKey ? 'key' : 'web',
    algorithm: args.algorithm,
    ports,
    environment: readEnvironment(),
    clock: Date,
    randomBytes: pooledRandomBytes(),
    ...(secret === undefined ? {} : { secret }),
    ...(args.address === undefined ? {} : { address: args.address }),
    ...(args.allowPrivate === undefined ? {} : { allowPrivateAddresses: args.allowPrivate }),
  }
  const made = await initialise(options)
  show(context, made, () => [
    `DID          ${made.did}`,
    `fingerprint  ${made.fingerprint}`,
    `wrote        ${made.configFile}`,
    ...(made.keyFile === undefined
      ? []
      : [`the keys are encrypted with ${made.keyFile}: keep it apart from their backups`]),
    '',
    `Next: comity -c ${made.configFile} start`,
    `A partner adds you with: comity partners add <alias> ${made.did} --url ${args.url} --fingerprint ${made.fingerprint}`,
  ])
}
