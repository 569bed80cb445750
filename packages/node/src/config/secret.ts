/** Secrets: the configuration says where one is, never what it is. A value that was read cannot be printed. */
import { readFile, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { inspect } from 'node:util'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import type { Environment } from './environment.ts'

const maxSecretBytes = 65_536

/** Where a secret is read from: `{ env: NAME }` or `{ file: path }`. */
export const secretReferenceSchema = z.union([
  z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable') }),
  z.strictObject({ file: z.string().min(1) }),
])

/** The place of a secret; not the secret. */
export type SecretReference = z.infer<typeof secretReferenceSchema>

/** A secret value. Prints as `[secret]` wherever it is logged, serialised or inspected. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself; give it to nothing that keeps or prints it. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}

/** Reads a secret. Paths are relative to `directory`; one line break at the end of a file is not part of it. Throws
 *  `config-invalid` when it is absent, empty or too large; the text names the place, never the value. */
export async function readSecret(place: SecretReference, environment: Environment, directory: string): Promise<Secret> {
  const fault = await secretFault(place, environment, directory)
  if (fault !== undefined) throw new Problem('config-invalid', fault)
  if ('env' in place) return new Secret(environment[place.env] ?? '')
  return new Secret((await readFile(pathOf(place.file, directory), 'utf8')).replace(/\r?\n$/, ''))
}

/** Why a secret cannot be read, or undefined when it can. */
export async function secretFault(
  place: SecretReference,
  environment: Environment,
  directory: string,
): Promise<string | undefined> {
  if ('env' in place) {
    return (environment[place.env] ?? '') === '' ? `the environment variable \`${place.env}\` is not set` : undefined
  }
  const found = await stat(pathOf(place.file, directory)).catch(() => undefined)
  if (found?.isFile() !== true) return `there is no file \`${place.file}\``
  if (found.size === 0) return `the file \`${place.file}\` is empty`
  if (found.size > maxSecretBytes) return `the file \`${place.file}\` is too large for a secret`
  const isOpenToAll = process.platform !== 'win32' && (found.mode & 0o007) !== 0
  return isOpenToAll ? `the file \`${place.file}\` is open to every user of this machine; use mode 600` : undefined
}

function pathOf(file: string, directory: string): string {
  return isAbsolute(file) ? file : join(directory, file)
}
