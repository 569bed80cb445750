/** What unlocks the key file: a passphrase (from the environment or a file) or a key file of 32 random bytes. */
import { readFile } from 'node:fs/promises'
import { Problem } from '@comity/core/problems'

/** Where the secret is, as the configuration says. */
export type KeySecretSource =
  | { readonly env: string }
  /** A file that holds a passphrase; one line feed at its end does not belong to it. */
  | { readonly file: string }
  /** A file of exactly 32 random bytes. */
  | { readonly keyFile: string }

/** The secret itself; never logged. */
export type KeySecret =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  | { readonly kind: 'key-file'; readonly bytes: Uint8Array }

/** Passphrases below this length are refused when a key file is made. */
export const minPassphraseLength = 8

/** Reads the secret. Throws `keys-locked` when it is missing, empty or of the wrong size. */
export async function loadKeySecret(
  source: KeySecretSource,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<KeySecret> {
  if ('env' in source) return passphrase(environment[source.env] ?? '', `the environment variable \`${source.env}\``)
  if ('file' in source) {
    const text = new TextDecoder().decode(await readSecretFile(source.file))
    return passphrase(text.replace(/\r?\n$/, ''), `the file \`${source.file}\``)
  }
  const bytes = await readSecretFile(source.keyFile)
  if (bytes.length !== 32) throw new Problem('keys-locked', `the key file \`${source.keyFile}\` is not 32 bytes long`)
  return { kind: 'key-file', bytes }
}

function passphrase(text: string, origin: string): KeySecret {
  if (text === '') throw new Problem('keys-locked', `${origin} holds no passphrase`)
  return { kind: 'passphrase', passphrase: text }
}

async function readSecretFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new Problem('keys-locked', `the file \`${path}\` cannot be read`, { cause })
  }
}
