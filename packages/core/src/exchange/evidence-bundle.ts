/** The shape of a bundle of evidence; `evidence.ts` shows a sample. */
import { z } from 'zod'
import { Problem } from '../problems.ts'

const base64url = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/)
  .max(1024)
const signed = z.strictObject({ base: z.string().min(1).max(65_536), signature: base64url })

const hash = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const opening = z.strictObject({ salt: hash, fields: z.string().max(32_768), bodyHash: hash })

/** Parts whose text went with the person that the exchange was about, and was sealed under a key that is destroyed. */
const erasedPart = z.enum(['request', 'response', 'event', 'sealed'])

const wholeSchema = z.strictObject({
  type: z.literal('comity-exchange-evidence'),
  version: z.literal(1),
  /** The request's signature base, and the signature over it; the key's id stands in the base. A holder keeps none of a
   *  call about a person that it refused, and no signature of a call with an API key. */
  request: signed.extend({ signature: base64url.optional() }).optional(),
  response: signed.optional(),
  receipt: z.string().min(1).max(8192),
  /** What the holder's log entry commits to; only who may see the exchange has it. */
  event: z.strictObject({ body: z.string().min(1).max(262_144), salt: base64url }).optional(),
  log: z.strictObject({ verifierKey: z.string().min(1).max(1024), proof: z.string().min(1).max(65_536) }).optional(),
  /** What opens the commitments to sealed contents: the salt, the text of the fields that travelled inside, the hash of the
   *  content or the content itself. Only who may see the content has it. */
  sealed: z.strictObject({ request: opening.optional(), response: opening.optional() }).optional(),
  documents: z.array(z.looseObject({ id: z.string() })).max(8),
  /** What its maker says was erased. It proves nothing: what is not there is not checked. */
  erased: z.array(erasedPart).min(1).max(4).optional(),
})

/** As it travels. */
export const evidenceBundleSchema = wholeSchema.refine(
  ({ erased = [], ...bundle }) => erased.every((part) => bundle[part] === undefined),
  { path: ['erased'] },
)

/** A bundle as it travels. Parts that are left out are not checked, and the report says what that leaves open. */
export type EvidenceBundle = Readonly<z.infer<typeof evidenceBundleSchema>>

/** Reads a bundle. Throws `proof-invalid`. */
export function parseEvidence(bundle: unknown): EvidenceBundle {
  const parsed = evidenceBundleSchema.safeParse(bundle)
  if (parsed.success) return parsed.data
  const path = parsed.error.issues[0]?.path.join('.') || 'the bundle'
  throw new Problem('proof-invalid', `\`${path}\` is not as evidence has it`, { cause: parsed.error })
}
