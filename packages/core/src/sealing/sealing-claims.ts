/** What a receipt and the log say of sealed content: by which algorithm, and the salted commitment to what was inside. */
import { z } from 'zod'
import { sealingAlgorithms } from './sealing-algorithms.ts'

const hash = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/)
const sealed = z.strictObject({ alg: z.enum(sealingAlgorithms), com: hash })

/** Of an exchange: the body of the request, and the answer. */
export const sealingClaimsSchema = z.strictObject({ req: sealed.optional(), res: sealed.optional() })

/** One sealed content. `com` is `commitmentTo` of what opens it. */
export type SealedClaim = Readonly<z.infer<typeof sealed>>

/** `req` when the request's body came sealed, `res` when the answer left sealed. */
export interface SealingClaims {
  readonly req?: SealedClaim | undefined
  readonly res?: SealedClaim | undefined
}

/** As text, so that two can be compared; undefined for none. */
export function sealingText(claims: SealingClaims | undefined): string | undefined {
  if (claims?.req === undefined && claims?.res === undefined) return undefined
  return JSON.stringify([claims.req, claims.res].map((claim) => (claim === undefined ? null : [claim.alg, claim.com])))
}
