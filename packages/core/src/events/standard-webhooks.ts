/** Signatures of webhooks as Standard Webhooks 1.0 defines them: what is signed, the keys as text, and whether a message
 *  is genuine. `v1` is HMAC-SHA-256 under a shared secret (`whsec_`), `v1a` is Ed25519 (`whsk_`, `whpk_`).
 *
 *      webhook-id: 0190…          webhook-timestamp: 1718000001
 *      webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4= v1a,…                              */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { decodeBase64 } from '../bytes/base64.ts'
import { encodeBase64url } from '../bytes/base64url.ts'
import { importVerifyingKey } from '#crypto'
import { utf8Bytes } from '../bytes/utf8.ts'
import { Problem } from '../problems.ts'

export type WebhookScheme = 'v1' | 'v1a'

/** What tells a genuine message: a shared secret, or the sender's public key. */
export interface WebhookKey {
  readonly scheme: WebhookScheme
  /** True for the signature (bytes) over the content. Takes as long for every wrong one. */
  verify(content: string, signature: Uint8Array): boolean
}

/** One message as it arrived. Field names are compared without regard to case. */
export interface ReceivedWebhook {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The body as it came, not parsed and written anew. */
  readonly body: string
}

/** A message that is genuine and recent. */
export interface GenuineWebhook {
  /** The same for every try to deliver the message. */
  readonly id: string
  /** Seconds since the epoch, of this try. */
  readonly timestamp: number
}

const minSecretBytes = 24
const maxSecretBytes = 64
const maxKeys = 4
const maxSignatures = 16

/** The text that is signed. */
export function webhookContent(id: string, timestamp: number | string, body: string): string {
  return `${id}.${timestamp}.${body}`
}

/** Bytes of a key's text. Throws `malformed-key`; the text is not repeated. */
export function webhookKeyBytes(text: string, prefix: 'whsec_' | 'whsk_' | 'whpk_'): Uint8Array {
  const lengths = { whsec_: [minSecretBytes, maxSecretBytes], whsk_: [32, 64], whpk_: [32, 32] } as const
  const [least, most] = lengths[prefix]
  const bytes = text.startsWith(prefix) ? bytesOrNone(text.slice(prefix.length)) : undefined
  const fits = bytes !== undefined && bytes.length >= least && bytes.length <= most
  if (!fits || (prefix === 'whsk_' && bytes.length !== 32 && bytes.length !== 64)) {
    const size = least === most ? `${least}` : prefix === 'whsk_' ? '32 or 64' : `${least} to ${most}`
    throw new Problem('malformed-key', `it must be \`${prefix}\` and base64 of ${size} bytes`)
  }
  return bytes
}

function bytesOrNone(text: string): Uint8Array | undefined {
  try {
    return decodeBase64(text)
  } catch {
    return undefined
  }
}

/** Keys of a receiver: `whsec_…` or `whpk_…`, several with white space between while one takes over from another.
 *  Throws `malformed-key`. */
export function parseWebhookKeys(text: string): readonly WebhookKey[] {
  const texts = text.trim().split(/\s+/)
  if (texts.length > maxKeys) throw new Problem('malformed-key', `at most ${maxKeys} keys at a time`)
  return texts.map((key) => (key.startsWith('whpk_') ? publicKey(key) : sharedSecret(key)))
}

function sharedSecret(text: string): WebhookKey {
  const secret = webhookKeyBytes(text, 'whsec_')
  return {
    scheme: 'v1',
    verify: (content, signature) => areEqual(hmac(sha256, secret, utf8Bytes(content)), signature),
  }
}

function publicKey(text: string): WebhookKey {
  const x = encodeBase64url(webhookKeyBytes(text, 'whpk_'))
  const key = importVerifyingKey({ kty: 'OKP', crv: 'Ed25519', x })
  return { scheme: 'v1a', verify: (content, signature) => key.verify(content, signature) }
}

/** Looks at every byte, whatever the first ones say. */
function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  let differences = a.length ^ b.length
  for (let index = 0; index < a.length; index++) differences |= (a[index] as number) ^ (b[index] ?? 0)
  return differences === 0
}

/** Whether the message is by the holder of one of the keys, and not older (or newer) than `toleranceSeconds`. Throws
 *  `malformed-request`, `signature-stale` and `signature-invalid`. Whether it came before is for the caller to know. */
export function verifyWebhook(
  { headers, body }: ReceivedWebhook,
  keys: readonly WebhookKey[],
  { nowMs, toleranceSeconds }: { readonly nowMs: number; readonly toleranceSeconds: number },
): GenuineWebhook {
  const fields = fieldsOf(headers)
  const id = single(fields, 'webhook-id')
  const time = single(fields, 'webhook-timestamp')
  if (!/^\d{1,12}$/.test(time)) throw new Problem('malformed-request', '`webhook-timestamp` is not a number of seconds')
  const content = webhookContent(id, time, body)
  const signatures = single(fields, 'webhook-signature').split(' ').slice(0, maxSignatures)
  // Signed first: who has no key learns nothing of this clock.
  if (!signatures.some((signature) => isBy(keys, content, signature))) {
    throw new Problem('signature-invalid', 'no signature of the webhook is by a known key over exactly this message')
  }
  const timestamp = Number(time)
  if (Math.abs(nowMs / 1000 - timestamp) > toleranceSeconds) {
    throw new Problem('signature-stale', `the webhook is not of the last ${toleranceSeconds} s`)
  }
  return { id, timestamp }
}

function isBy(keys: readonly WebhookKey[], content: string, signature: string): boolean {
  const [, scheme, text = ''] = /^([^,]{1,8}),(.{1,200})$/.exec(signature) ?? []
  const bytes = bytesOrNone(text)
  return bytes !== undefined && keys.some((key) => key.scheme === scheme && key.verify(content, bytes))
}

type Fields = ReadonlyMap<string, string | readonly string[] | undefined>

const fieldsOf = (headers: ReceivedWebhook['headers']): Fields =>
  new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

function single(fields: Fields, name: string): string {
  const value = fields.get(name)
  if (typeof value === 'string' && value !== '' && value.length <= 4_096) return value
  throw new Problem('malformed-request', `the webhook has no single field \`${name}\``)
}
