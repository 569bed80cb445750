/** What an agreement allows, read out of its rules, and the refusal of every rule that the node could not enforce.
 *  ODRL 2.2 §2.6: a permission holds when all of its constraints do; a call needs one permission that holds. */
import { Problem } from '../problems.ts'
import { jsonPointer, type AgreementDocument, type AgreementError } from './agreement.ts'
import { intersection, readConstraint, type Limits } from './agreement-constraint.ts'
import { parseDateTime } from './date-time.ts'
import { comityProfile, dataspaceContext, productsTarget, shortOdrlTerm } from './vocabulary.ts'

/** One permission. A set that is undefined does not limit. */
export interface AgreementPermission {
  readonly products: ReadonlySet<string>
  /** `operationId`s of the product's description. */
  readonly operations?: ReadonlySet<string>
  /** IRIs; a call must state one of them. */
  readonly purposes?: ReadonlySet<string>
  /** First moment at which it holds. */
  readonly fromMs?: number
  /** First moment at which it holds no longer. */
  readonly untilMs?: number
}

/** An agreement as a decision needs it. */
export interface AgreementTerms {
  /** `urn:uuid:…` */
  readonly id: string
  /** DID of the holder, who permits. */
  readonly assigner: string
  /** DID of the recipient, who is permitted. */
  readonly assignee: string
  /** When it was concluded, by its own `timestamp`. */
  readonly concludedMs: number
  readonly permissions: readonly AgreementPermission[]
}

const policyMembers = new Set([
  '@context',
  '@id',
  '@type',
  'profile',
  'assigner',
  'assignee',
  'target',
  'timestamp',
  'permission',
])
const permissionMembers = new Set(['action', 'constraint'])
const refusedMembers: Readonly<Record<string, string>> = {
  prohibition: 'prohibitions are not enforced; leave out of the permissions what is not allowed',
  obligation: 'obligations are not enforced',
  duty: 'duties are not enforced',
}

/** Reads the rules. Throws `agreement-unenforceable` with the JSON pointer of every part that the node cannot
 *  enforce or does not know in `errors`. */
export function readAgreementTerms(agreement: AgreementDocument): AgreementTerms {
  const errors: AgreementError[] = [...unknownMembers(agreement, policyMembers, []), ...contextErrors(agreement)]
  const permissions = agreement.permission.map((rule, index) => readPermission(rule, index, errors))
  const usesProfile = permissions.some((limits) => limits.usesProfile) || agreement.target === productsTarget
  errors.push(...profileErrors(agreement, usesProfile))
  for (const [index, { products }] of permissions.entries()) {
    if (agreement.target === productsTarget && products === undefined) {
      errors.push({ pointer: jsonPointer(['permission', index]), detail: 'names no product' })
    }
  }
  if (errors.length > 0) throw unenforceable(errors)
  return {
    id: agreement['@id'],
    assigner: agreement.assigner,
    assignee: agreement.assignee,
    concludedMs: parseDateTime(agreement.timestamp) ?? 0,
    permissions: permissions.map((limits) => permissionOf(agreement.target, limits)),
  }
}

function readPermission(rule: Readonly<Record<string, unknown>>, index: number, errors: AgreementError[]): Limits {
  const path = ['permission', index]
  errors.push(...unknownMembers(rule, permissionMembers, path))
  const { action, constraint = [] } = rule
  if (typeof action !== 'string' || shortOdrlTerm(action) !== 'use') {
    errors.push({ pointer: jsonPointer([...path, 'action']), detail: 'the only action that is enforced is `use`' })
  }
  if (!Array.isArray(constraint)) {
    errors.push({ pointer: jsonPointer([...path, 'constraint']), detail: 'not a list' })
    return {}
  }
  const and = { and: constraint as readonly unknown[] }
  return readConstraint(and, { path, names: { and: 'constraint' }, errors })
}

function permissionOf(target: string, limits: Limits): AgreementPermission {
  const { products, operations, purposes, fromMs, untilMs } = limits
  const targets = new Set(target === productsTarget ? products : [target])
  return {
    products: products === undefined ? targets : intersection(targets, products),
    ...(operations !== undefined && { operations }),
    ...(purposes !== undefined && { purposes }),
    ...(fromMs !== undefined && { fromMs }),
    ...(untilMs !== undefined && { untilMs }),
  }
}

// Another context could give the terms another meaning.
function contextErrors(agreement: AgreementDocument): AgreementError[] {
  return agreement['@context'].flatMap((url, index) =>
    url === dataspaceContext
      ? []
      : [{ pointer: jsonPointer(['@context', index]), detail: 'a context that this node does not know' }],
  )
}

// ODRL 2.2 §2.1: who does not know a policy's profile must not process the policy; who uses one must name it.
function profileErrors(agreement: AgreementDocument, usesProfile: boolean): AgreementError[] {
  const { profile } = agreement
  if (profile === undefined) {
    return usesProfile ? [{ pointer: '/profile', detail: `terms of \`${comityProfile}\` are used, so name it` }] : []
  }
  const profiles = Array.isArray(profile) ? (profile as readonly unknown[]) : [profile]
  const known = profiles.length > 0 && profiles.every((name) => name === comityProfile)
  return known ? [] : [{ pointer: '/profile', detail: 'a profile that this node does not know' }]
}

function unknownMembers(
  object: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
  path: readonly PropertyKey[],
): AgreementError[] {
  return Object.keys(object)
    .filter((name) => !known.has(name))
    .map((name) => ({
      pointer: jsonPointer([...path, name]),
      detail: (Object.hasOwn(refusedMembers, name) && refusedMembers[name]) || 'a member that this node does not know',
    }))
}

function unenforceable(errors: readonly AgreementError[]): Problem {
  const pointers = errors.map(({ pointer }) => `\`${pointer}\``)
  return new Problem('agreement-unenforceable', `cannot be enforced: ${pointers.slice(0, 10).join(', ')}`, {
    members: { errors },
  })
}
