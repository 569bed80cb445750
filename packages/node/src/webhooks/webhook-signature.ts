/** Signatures of outgoing messages as Standard Webhooks 1.0 defines them: `v1` is HMAC-SHA-256 under a shared secret.
 *
 *      webhook-id: 0190…          webhook-timestamp: 1718000001
 *      webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4= */
import { createHmac } from 'node:crypto'
import { decodeBase64 } from '@comity/core/bytes/base64'
import { Problem } from '@comity/core/problems'

/** Signs `id.timestamp.body` and names its scheme; asymmetric schemes (`v1a`) fit beside it. */
export interface WebhookSigner {
  readonly scheme: 'v1' | 'v1a'
  sign(content: string): Uint8Array
}

/** One message as it is sent. */
export interface WebhookMessage {
  readonly id: string
  /** Seconds, of this try. */
  readonly timestamp: number
  readonly body: string
}

const minSecretBytes = 24
const maxSecretBytes = 64

/** Signers of a secret's text: one `whsec_…`, or several with white space between while one takes over from another.
 *  Throws `config-invalid` for one that is not base64 of 24 to 64 bytes; the text is not repeated. */
export function parseWebhookSecret(text: string): readonly WebhookSigner[] {
  const secrets = text.trim().split(/\s+/)
  if (secrets.length > 4) throw new Problem('config-invalid', 'a webhook has at most 4 secrets at a time')
  return secrets.map((secret) => hmacSigner(secretBytes(secret)))
}

function secretBytes(secret: string): Uint8Array {
  const fault = new Problem(
    'config-invalid',
    `the secret of a webhook must be \`whsec_\` and base64 of ${minSecretBytes} to ${maxSecretBytes} bytes`,
  )
  if (!secret.startsWith('whsec_')) throw fault
  let bytes: Uint8Array
  try {
    bytes = decodeBase64(secret.slice('whsec_'.length))
  } catch {
    // The cause would repeat nothing secret, but it would say nothing more either.
    throw fault
  }
  if (bytes.length < minSecretBytes || bytes.length > maxSecretBytes) throw fault
  return bytes
}

function hmacSigner(secret: Uint8Array): WebhookSigner {
  return { scheme: 'v1', sign: (content) => createHmac('sha256', secret).update(content, 'utf8').digest() }
}

/** The three header fields of a message. */
export function webhookHeaders(message: WebhookMessage, signers: readonly WebhookSigner[]): Record<string, string> {
  const { id, timestamp, body } = message
  const content = `${id}.${timestamp}.${body}`
  const signatures = signers.map(({ scheme, sign }) => `${scheme},${Buffer.from(sign(content)).toString('base64')}`)
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  }
}
