/** What an operator declares of a webhook in `comity.yaml`: where to call, what is signed with, what is told. */
import { z } from 'zod'
import { isFingerprint } from '../http/spki-fingerprint.ts'

/** What the node tells the operator's own systems. */
export const webhookEventTypes = [
  'consent.requested',
  'consent.changed',
  'duty.owed',
  'duty.overdue',
  'rights.requested',
  'rights.closed',
  'key.prepared',
  'key.rotating',
  'key.waiting',
  'key.draining',
  'key.retired',
  'key.rolled-back',
  'key.expiring',
  'key.disabled',
  'key.revoked',
  'key.unusual',
  'quota.requested',
  'quota.decided',
  'quota.near',
] as const
export type WebhookEventType = (typeof webhookEventTypes)[number]

const webhookUrl = z
  .string()
  .max(2_048)
  .refine(isWebhookUrl, 'must be an https address without credentials, or http on this machine (`127.0.0.1`, `[::1]`)')

const fingerprint = z.string().refine(isFingerprint, 'must be `sha256:` and 43 characters of base64url')

/** One entry of `webhooks`; `secret` is the configuration's own schema for the place of a secret. */
export const webhookConfigSchema = <S extends z.ZodType>(secret: S) =>
  z.strictObject({
    url: webhookUrl,
    secret,
    events: z
      .array(z.enum(webhookEventTypes))
      .min(1)
      .max(webhookEventTypes.length)
      .default([...webhookEventTypes]),
    fingerprints: z.array(fingerprint).max(8).default([]),
    timeoutMs: z.int().min(100).max(60_000).default(10_000),
    giveUpAfterHours: z.int().min(1).max(720).default(72),
  })

/** True for `http:` to this machine: nobody is in between who could read a link. */
export function isOnThisMachine(url: URL): boolean {
  return url.protocol === 'http:' && (url.hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(url.hostname))
}

/** True for `https:` without credentials, and `http:` to this machine. */
export function isWebhookUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || url.username + url.password + url.hash !== '') return false
  return url.protocol === 'https:' || isOnThisMachine(url)
}
