/** A composite's answer counts only when its receipt states every part that was asked for, as it was asked and as it was
 *  answered, and no other. */
import { parseComposite, sliceHash, type CompositeAnswer, type Slice } from '@comity/core/exchange/composite-answer'
import { statedHash, type PartClaims } from '@comity/core/exchange/composite-parts'
import { isAddressed } from '@comity/core/exchange/product-address'
import { Problem } from '@comity/core/problems'
import { differingTerm, type RawAnswer, type VerifiedAnswer } from '../outbound/verify-answer.ts'

/** A part as it was sent. */
export interface SentPart {
  readonly name: string
  readonly product: string
  readonly purpose: string | undefined
  readonly agreementId: string | undefined
  /** Id of the consent whose token was presented. */
  readonly consentId: string | undefined
}

/** An answer whose parts are bound to what was asked, and what the receipt states of each. */
export interface CheckedComposite {
  readonly answer: CompositeAnswer
  readonly stated: readonly PartClaims[]
}

function unbound(name: string, what: string): Problem {
  return new Problem('answer-unbound', `the receipt, of the part \`${name}\`, ${what}`)
}

/** Undefined for a refusal of the whole, which has no parts. Throws `answer-invalid`, `answer-unbound`. */
export function checkComposite(
  answer: RawAnswer,
  { receipt }: VerifiedAnswer,
  asked: readonly SentPart[],
): CheckedComposite | undefined {
  if (answer.status >= 400) return undefined
  if (answer.status !== 200 || receipt === undefined) {
    throw new Problem('answer-invalid', `a composite is not answered with the status ${answer.status}`)
  }
  const composite = parseComposite(answer.body)
  const stated = statedParts(receipt.claims, composite)
  if (stated.length !== asked.length || composite.slices.size !== asked.length) {
    throw new Problem('answer-unbound', 'the answer has other parts than were asked for')
  }
  for (const part of asked) {
    const claims = stated.find(({ name }) => name === part.name)
    const slice = composite.slices.get(part.name)
    if (claims === undefined || slice === undefined) {
      throw new Problem('answer-unbound', `the answer leaves out the part \`${part.name}\``)
    }
    checkPart(part, claims, slice)
  }
  return { answer: composite, stated }
}

function statedParts(
  { parts, pth }: { readonly parts?: readonly PartClaims[] | undefined; readonly pth?: string | undefined },
  { stated }: CompositeAnswer,
): readonly PartClaims[] {
  if (parts !== undefined) return parts
  if (stated === undefined || pth === undefined || statedHash(stated) !== pth) {
    throw new Problem('answer-unbound', 'the receipt does not say what the parts are')
  }
  return stated
}

function checkPart(asked: SentPart, claims: PartClaims, slice: Slice): void {
  const { name } = asked
  if (claims.res !== sliceHash(slice)) throw unbound(name, 'is for another answer')
  if (claims.status !== slice.status) throw unbound(name, 'states another status')
  const isRefused = slice.content?.as === 'problem'
  if (isRefused !== true && claims.prd === undefined) throw unbound(name, 'names no product')
  if (claims.prd !== undefined && !isAddressed(asked.product, claims)) {
    throw unbound(name, 'names another product, or another version')
  }
  checkConsent(asked, claims)
  const term = differingTerm(claims, asked)
  if (term !== undefined) throw unbound(name, `names another ${term}`)
}

/** What was released under a consent says so, and under no other. */
function checkConsent({ name, consentId }: SentPart, { con, status }: PartClaims): void {
  if (con === undefined ? consentId !== undefined && status < 400 : con.id !== consentId) {
    throw unbound(name, 'names another consent, or none')
  }
}
