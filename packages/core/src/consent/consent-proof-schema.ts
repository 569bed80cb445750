/** The shape of proofs. What they prove is `verifyConsentProof`. */
import { z } from 'zod'
import type { ConsentProof, WebAuthnProof } from './consent-record.ts'
import { moment, text, type Shape } from './consent-texts.ts'

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/, 'not base64url')

/** A number of 4096 bits: the modulus of an RSA key, and its signature. */
const maxNumberLength = 683

const webAuthnProof = z.strictObject({
  credentialId: base64url.max(1400),
  publicKey: z
    .record(z.string().max(16), z.string().max(maxNumberLength))
    .refine((jwk) => Object.keys(jwk).length <= 8, 'too many members'),
  rpId: text(253),
  origin: text(2048),
  authenticatorData: base64url.max(8192),
  clientDataJSON: base64url.max(8192),
  signature: base64url.max(maxNumberLength),
} satisfies Shape<WebAuthnProof>)

const authentication = z.strictObject({
  channel: text(100),
  acr: text(200).optional(),
  amr: z.array(text(100)).max(16).optional(),
  authTime: z.int().nonnegative().optional(),
})

const person = z.enum(['subject', 'grantor'])

export const proofSchema: z.ZodType<ConsentProof> = z.discriminatedUnion('type', [
  z.strictObject({
    by: text(2048),
    role: z.literal('holder'),
    type: z.literal('jws'),
    at: moment,
    value: z.string().min(1).max(8192),
  }),
  z.strictObject({ by: text(2048), role: person, type: z.literal('webauthn'), at: moment, value: webAuthnProof }),
  z.strictObject({
    by: text(2048),
    role: person,
    type: z.enum(['link', 'session']),
    at: moment,
    value: authentication,
  }),
])
