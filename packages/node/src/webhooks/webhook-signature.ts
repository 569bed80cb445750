/** Signatures of outgoing messages (Standard Webhooks 1.0): `v1` is HMAC-SHA-256 under a shared secret, `v1a` Ed25519
 *  under a key of which receivers know the public part only.
 *
 *      webhook-id: 0190…          webhook-timestamp: 1718000001
 *      webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4= v1a,… */
import { createHmac, createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto'
import { encodeBase64 } from '@comity/core/bytes/base64'
import { webhookContent, webhookKeyBytes, type WebhookScheme } from '@comity/core/events/standard-webhooks'
import { Problem } from '@comity/core/problems'

/** Signs `id.timestamp.body` and names its scheme. */
export interface WebhookSigner {
  readonly scheme: WebhookScheme
  sign(content: string): Uint8Array
}

/** One message as it is sent. */
export interface WebhookMessage {
  readonly id: string
  /** Seconds, of this try. */
  readonly timestamp: number
  readonly body: string
}

const maxSecrets = 4

/** Signers of a secret's text: one `whsec_…` or `whsk_…`, or several with white space between while one takes over from
 *  another. Throws `config-invalid` for one that is none; the text is not repeated. */
export function parseWebhookSecret(text: string): readonly WebhookSigner[] {
  const secrets = text.trim().split(/\s+/)
  if (secrets.length > maxSecrets)
    throw new Problem('config-invalid', `a webhook has at most ${maxSecrets} secrets at a time`)
  return secrets.map((secret) => {
    try {
      return secret.startsWith('whsk_') ? ed25519Signer(secret) : hmacSigner(webhookKeyBytes(secret, 'whsec_'))
    } catch {
      // The cause would repeat nothing secret, but it would say nothing more either.
      throw new Problem(
        'config-invalid',
        'the secret of a webhook must be `whsec_` and base64 of 24 to 64 bytes, or `whsk_` and base64 of an Ed25519 key',
      )
    }
  })
}

function hmacSigner(secret: Uint8Array): WebhookSigner {
  return { scheme: 'v1', sign: (content) => createHmac('sha256', secret).update(content, 'utf8').digest() }
}

function ed25519Signer(secret: string): WebhookSigner {
  const key = ed25519Key(secret)
  return { scheme: 'v1a', sign: (content) => sign(null, Buffer.from(content, 'utf8'), key) }
}

/** PKCS #8 (RFC 8410) around the 32 bytes of the seed. */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')

/** `whsk_` holds the seed, alone or with the public key behind it. Throws when they do not belong together. */
function ed25519Key(secret: string): KeyObject {
  const bytes = webhookKeyBytes(secret, 'whsk_')
  const der = Buffer.concat([pkcs8Head, bytes.subarray(0, 32)])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  if (bytes.length === 64 && !publicBytes(key).equals(bytes.subarray(32))) throw new Error('another public key')
  return key
}

/** The last 32 bytes of an Ed25519 key's SubjectPublicKeyInfo are the key. */
function publicBytes(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
}

/** What a receiver verifies by, of a `whsk_…`. Throws for one that is none. */
export function webhookPublicKey(secret: string): string {
  return `whpk_${encodeBase64(publicBytes(ed25519Key(secret)))}`
}

/** The three header fields of a message. */
export function webhookHeaders(message: WebhookMessage, signers: readonly WebhookSigner[]): Record<string, string> {
  const { id, timestamp, body } = message
  const content = webhookContent(id, timestamp, body)
  const signatures = signers.map((signer) => `${signer.scheme},${encodeBase64(signer.sign(content))}`)
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  }
}
