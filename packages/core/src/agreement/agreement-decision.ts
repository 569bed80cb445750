/** Whether an agreement covers a call. Pure: facts in, verdict out. */
import type { ProblemCode } from '../problems.ts'
import type { AgreementPermission, AgreementTerms } from './agreement-policy.ts'

/** An agreement with what has become of it. */
export interface StandingAgreement {
  readonly terms: AgreementTerms
  /** When one side terminated it; undefined while it stands. */
  readonly terminatedMs?: number | undefined
}

/** One call, as far as an agreement can tell. */
export interface AgreementCall {
  readonly product: string
  /** Undefined where the asker does not know it: the recipient's node leaves that check to the holder. */
  readonly operation?: string | undefined
  /** IRI that the caller stated. */
  readonly purpose?: string | undefined
}

/** A denial's code is one of `agreement-…` or `purpose-required`. */
export type AgreementVerdict =
  { readonly allowed: true; readonly agreementId: string; readonly purpose: string | undefined } | AgreementDenial

export interface AgreementDenial {
  readonly allowed: false
  readonly code: ProblemCode
  /** For the caller, who is a party of the agreement. */
  readonly detail: string
  /** Ids to choose from, where the code is `agreement-ambiguous`. */
  readonly agreements?: readonly string[]
  /** True where the asker did not say which operation it is, and that may tell them apart. */
  readonly isUpToOperation?: boolean
}

/** Judges a call by one agreement whose parties are already known to match. */
export function decideAgreement(
  { terms, terminatedMs }: StandingAgreement,
  call: AgreementCall,
  nowMs: number,
): AgreementVerdict {
  const forProduct = terms.permissions.filter(({ products }) => products.has(call.product))
  if (forProduct.length === 0) return deny('agreement-required', `\`${terms.id}\` does not cover this product`)
  if (terminatedMs !== undefined) return deny('agreement-terminated', `\`${terms.id}\` was terminated`)
  const inForce = forProduct.filter((permission) => isInForce(permission, nowMs))
  if (inForce.length === 0) return deny('agreement-expired', `\`${terms.id}\` is not in force at this time`)
  const forOperation = inForce.filter(({ operations }) => allows(operations, call.operation))
  if (forOperation.length === 0) return deny('agreement-operation', `\`${terms.id}\` does not allow this operation`)
  const { purpose } = call
  if (forOperation.some(({ purposes }) => purposes === undefined || (purpose !== undefined && purposes.has(purpose)))) {
    return { allowed: true, agreementId: terms.id, purpose }
  }
  return purpose === undefined
    ? deny('purpose-required', `\`${terms.id}\` allows stated purposes only`)
    : deny('agreement-purpose', `\`${terms.id}\` does not allow this purpose`)
}

/** Judges a call by all agreements between two participants that name the product. Several that allow it are
 *  `agreement-ambiguous`; where none does, the denial is that of the agreement that came closest. */
export function decideAmongAgreements(
  candidates: readonly StandingAgreement[],
  call: AgreementCall,
  nowMs: number,
): AgreementVerdict {
  const [only, ...more] = candidates
  if (only === undefined) return deny('agreement-required', 'no agreement covers this product')
  if (more.length === 0) return decideAgreement(only, call, nowMs)
  const verdicts = candidates
    .toSorted((a, b) => b.terms.concludedMs - a.terms.concludedMs)
    .map((candidate) => decideAgreement(candidate, call, nowMs))
  const allowed = verdicts.filter((verdict) => verdict.allowed)
  const [first] = allowed
  if (first !== undefined && allowed.length === 1) return first
  if (first !== undefined) {
    return ambiguous(candidates, { call, nowMs, agreements: allowed.map(({ agreementId }) => agreementId) })
  }
  return closest(verdicts.filter((verdict) => !verdict.allowed))
}

interface Ambiguity {
  readonly call: AgreementCall
  readonly nowMs: number
  readonly agreements: readonly string[]
}

const maxNamed = 4

function ambiguous(candidates: readonly StandingAgreement[], { call, nowMs, agreements }: Ambiguity): AgreementDenial {
  const named = agreements.slice(0, maxNamed).map((id) => `\`${id}\``)
  const more = agreements.length > maxNamed ? ` and ${agreements.length - maxNamed} more` : ''
  const detail = `the agreements ${named.join(', ')}${more} cover this call: name one in the field \`Comity-Agreement\``
  return {
    ...deny('agreement-ambiguous', detail),
    agreements,
    ...(call.operation === undefined && { isUpToOperation: !coverEvery(candidates, call, nowMs) }),
  }
}

/** True when two of the agreements cover the call whatever its operation is. */
function coverEvery(candidates: readonly StandingAgreement[], call: AgreementCall, nowMs: number): boolean {
  // An operation of this name cannot be listed: only what does not limit operations allows it.
  const verdicts = candidates.map((candidate) => decideAgreement(candidate, { ...call, operation: '' }, nowMs))
  return verdicts.filter(({ allowed }) => allowed).length > 1
}

/** How far a call came, by the code of its denial; agreements out of force count alike, the latest first. */
const progress: Readonly<Partial<Record<ProblemCode, number>>> = {
  'agreement-purpose': 3,
  'purpose-required': 3,
  'agreement-operation': 2,
  'agreement-expired': 1,
  'agreement-terminated': 1,
}

function closest(denials: readonly AgreementDenial[]): AgreementDenial {
  return denials.reduce((best, denial) => ((progress[denial.code] ?? 0) > (progress[best.code] ?? 0) ? denial : best))
}

function isInForce({ fromMs, untilMs }: AgreementPermission, nowMs: number): boolean {
  return (fromMs === undefined || nowMs >= fromMs) && (untilMs === undefined || nowMs < untilMs)
}

function allows(values: ReadonlySet<string> | undefined, value: string | undefined): boolean {
  return values === undefined || value === undefined || values.has(value)
}

function deny(code: ProblemCode, detail: string): AgreementDenial {
  return { allowed: false, code, detail }
}
