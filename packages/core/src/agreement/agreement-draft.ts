/** Writes an agreement from plain options, in the one form that `readAgreementTerms` reads back to the same terms. */
import { Problem } from '../problems.ts'
import { parseAgreement, type AgreementDocument } from './agreement.ts'
import { readAgreementTerms } from './agreement-policy.ts'
import { formatDateTime } from './date-time.ts'
import { comityProfile, dataspaceContext, operationOperand, productOperand, productsTarget } from './vocabulary.ts'

/** What the two participants agree on. */
export interface AgreementOptions {
  /** `urn:uuid:…`, lower case. */
  readonly id: string
  /** DID of the holder. */
  readonly assigner: string
  /** DID of the recipient. */
  readonly assignee: string
  /** When it is concluded. */
  readonly concludedMs: number
  /** Ids of the assigner's products; at least one. */
  readonly products: readonly string[]
  /** `operationId`s; all of them when left out. */
  readonly operations?: readonly string[] | undefined
  /** IRIs, of the W3C Data Privacy Vocabulary for example; any purpose when left out. */
  readonly purposes?: readonly string[] | undefined
  /** First moment at which it holds; at once when left out. */
  readonly fromMs?: number | undefined
  /** First moment at which it holds no longer; never when left out. */
  readonly untilMs?: number | undefined
}

/** The document. Throws `agreement-malformed` when the options make none: a wrong DID, no product, a period that
 *  ends before it begins. */
export function draftAgreement(options: AgreementOptions): AgreementDocument {
  const { products, operations, purposes, fromMs, untilMs } = options
  for (const [name, list] of Object.entries({ products, operations, purposes })) {
    if (list?.length === 0) throw new Problem('agreement-malformed', `\`${name}\` is empty`)
  }
  if (fromMs !== undefined && untilMs !== undefined && untilMs <= fromMs) {
    throw new Problem('agreement-malformed', 'the period ends before it begins')
  }
  const [product = '', ...moreProducts] = products
  const constraint = [
    ...(moreProducts.length > 0 ? [anyOf(productOperand, products)] : []),
    ...(operations === undefined ? [] : [anyOf(operationOperand, operations)]),
    ...(purposes === undefined ? [] : [anyOf('purpose', purposes)]),
    ...(fromMs === undefined ? [] : [moment('gteq', fromMs)]),
    ...(untilMs === undefined ? [] : [moment('lt', untilMs)]),
  ]
  const usesProfile = moreProducts.length > 0 || operations !== undefined
  const agreement = parseAgreement({
    '@context': [dataspaceContext],
    '@id': options.id,
    '@type': 'Agreement',
    ...(usesProfile && { profile: comityProfile }),
    assigner: options.assigner,
    assignee: options.assignee,
    target: moreProducts.length > 0 ? productsTarget : product,
    timestamp: formatDateTime(options.concludedMs),
    permission: [{ action: 'use', ...(constraint.length > 0 && { constraint }) }],
  })
  readAgreementTerms(agreement)
  return agreement
}

function anyOf(leftOperand: string, values: readonly string[]): Readonly<Record<string, unknown>> {
  return { leftOperand, operator: 'isAnyOf', rightOperand: [...values] }
}

function moment(operator: string, value: number): Readonly<Record<string, unknown>> {
  return { leftOperand: 'dateTime', operator, rightOperand: formatDateTime(value) }
}
