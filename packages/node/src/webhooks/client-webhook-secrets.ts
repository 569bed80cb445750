/** Secrets with which messages to clients are signed: made here, one after another, two or more at a time while a
 *  receiver moves. */
import { encodeBase64 } from '@comity/core/bytes/base64'
import type { SignatureFormat } from '@comity/core/events/client-events'
import type { RandomBytes } from '@comity/core/ports'
import type { ClientWebhook, WebhookSecret } from './client-webhook.ts'
import { parseWebhookSecret, webhookPublicKey, type WebhookSigner } from './webhook-signature.ts'

/** So many sign at the same time. */
export const maxSecrets = 4

/** What its client verifies with: the secret itself, to be shown this once, or the public key. */
export type VerifyingKey = { readonly secret: string } | { readonly publicKey: string }

export function newWebhookSecret(format: SignatureFormat, randomBytes: RandomBytes): WebhookSecret {
  return { text: `${format === 'ed25519' ? 'whsk_' : 'whsec_'}${encodeBase64(randomBytes(32))}` }
}

/** Of a secret that was just made. */
export function verifyingKey({ text }: WebhookSecret): VerifyingKey {
  return text.startsWith('whsk_') ? { publicKey: webhookPublicKey(text) } : { secret: text }
}

/** Public keys that verify now, the newest first; none where the secret is shared. */
export function publicKeysOf({ secrets, format }: Pick<ClientWebhook, 'secrets' | 'format'>, nowMs: number): string[] {
  return format === 'ed25519' ? current(secrets, nowMs).map(({ text }) => webhookPublicKey(text)) : []
}

/** Those that have not ended. */
export function current(secrets: readonly WebhookSecret[], nowMs: number): readonly WebhookSecret[] {
  return secrets.filter(({ untilMs = Infinity }) => untilMs > nowMs)
}

/** One signature by each that has not ended. */
export function signersOf({ secrets }: Pick<ClientWebhook, 'secrets'>, nowMs: number): readonly WebhookSigner[] {
  return current(secrets, nowMs).flatMap(({ text }) => parseWebhookSecret(text))
}

/** The new secret in front; all others end at that moment, or before. */
export function succeededBy(
  secrets: readonly WebhookSecret[],
  newest: WebhookSecret,
  { nowMs, untilMs }: { readonly nowMs: number; readonly untilMs: number },
): readonly WebhookSecret[] {
  const former = current(secrets, nowMs).map((secret) => ({
    ...secret,
    untilMs: Math.min(secret.untilMs ?? Infinity, untilMs),
  }))
  return [newest, ...former]
}

/** When the last of the former secrets ends; undefined when one signs alone. */
export function formerEndsMs({ secrets }: Pick<ClientWebhook, 'secrets'>, nowMs: number): number | undefined {
  const ends = current(secrets, nowMs).flatMap(({ untilMs }) => untilMs ?? [])
  return ends.length === 0 ? undefined : Math.max(...ends)
}
