/** API keys as text:
 *
 *      cmty_live_7Qm2xK9a_0kJ8…32 characters of secret…Zp1Ab2Cd
 *      cmty_<environment>_<id>_<secret><checksum>
 *
 *  The id is public and names the key in logs and receipts. The checksum is the CRC-32 of everything before it in base62,
 *  so that whoever meets such a text, a scanner of leaked secrets too, can tell without asking anybody whether it is one. */
import { Problem } from '../problems.ts'
import type { RandomBytes } from '../ports.ts'
import { formatBase62, randomBase62 } from './base62.ts'
import { crc32 } from './crc32.ts'

/** What a key is for; one of the other environment is refused. */
export const environments = ['live', 'test'] as const
export type Environment = (typeof environments)[number]

/** How a key is used: presented as it is, or as the key of a message authentication code. */
export const keyUses = ['plain', 'hmac'] as const
export type KeyUse = (typeof keyUses)[number]

/** The parts of a key. */
export interface ApiKey {
  readonly environment: Environment
  /** 8 characters of base62, public. */
  readonly id: string
  /** 32 characters of base62: 190 bits. */
  readonly secret: string
}

/** For secret scanners: finds every key, in the dialect of RE2, PCRE and ECMAScript. What it finds is a key when
 *  `parseApiKey` takes it. */
export const apiKeyPattern = 'cmty_(?:live|test)_[0-9A-Za-z]{8}_[0-9A-Za-z]{38}'

const idLength = 8
const secretLength = 32
const checksumLength = 6
const whole = new RegExp(`^(?:${apiKeyPattern})$`)
const wholeName = /^cmty_(live|test)_([0-9A-Za-z]{8})$/

/** True for what was meant to be an API key, right or wrong. */
export function isApiKeyLike(text: string): boolean {
  return text.startsWith('cmty_')
}

/** Reads a key. Throws `key-malformed` for another shape or a wrong checksum; nothing of the text is told. */
export function parseApiKey(text: string): ApiKey {
  if (!whole.test(text)) throw new Problem('key-malformed', 'what was presented has not the shape of an API key')
  const [, environment = '', id = '', rest = ''] = text.split('_')
  if (checksumOf(text.slice(0, -checksumLength)) !== text.slice(-checksumLength)) {
    throw new Problem('key-malformed', 'the checksum of the API key is wrong: some of it was mistyped or cut off')
  }
  return { environment: environment as Environment, id, secret: rest.slice(0, secretLength) }
}

/** The text of a key, with its checksum. */
export function formatApiKey({ environment, id, secret }: ApiKey): string {
  const text = `cmty_${environment}_${id}_${secret}`
  return text + checksumOf(text)
}

/** A fresh id for a key. */
export function newKeyId(randomBytes: RandomBytes): string {
  return randomBase62(idLength, randomBytes)
}

/** A secret from these bytes, random or derived; the same bytes give the same secret. */
export function newKeySecret(randomBytes: RandomBytes): string {
  return randomBase62(secretLength, randomBytes)
}

/** How a key is called where its secret must not be: `cmty_live_7Qm2xK9a`; the `keyid` of its signatures. */
export function apiKeyName({ environment, id }: Pick<ApiKey, 'environment' | 'id'>): string {
  return `cmty_${environment}_${id}`
}

/** Reads such a name. Throws `key-malformed`. */
export function parseApiKeyName(text: string): Pick<ApiKey, 'environment' | 'id'> {
  const [, environment, id] = wholeName.exec(text) ?? []
  if (id === undefined) throw new Problem('key-malformed', 'the `keyid` is not the name of an API key')
  return { environment: environment as Environment, id }
}

function checksumOf(text: string): string {
  return formatBase62(crc32(text), checksumLength)
}
