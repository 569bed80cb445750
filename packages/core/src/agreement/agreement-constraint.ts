/** Reads one ODRL constraint (ODRL 2.2 §2.5) into limits that a decision can check. Constraints that are known:
 *  `dateTime` (gt, gteq, lt, lteq), `purpose`, operation and product (eq, isAnyOf), and `and` of those. */
import { jsonPointer, type AgreementError } from './agreement.ts'
import { parseDateTime } from './date-time.ts'
import { operationOperand, productOperand, shortOdrlTerm } from './vocabulary.ts'

/** The conjunction of constraints. What is undefined does not limit. */
export interface Limits {
  readonly products?: ReadonlySet<string>
  readonly operations?: ReadonlySet<string>
  readonly purposes?: ReadonlySet<string>
  readonly fromMs?: number
  readonly untilMs?: number
  /** True when a term of Comity's profile is among them. */
  readonly usesProfile?: boolean
}

/** Where in the document a constraint stands, and the list that takes what is wrong with it. */
export interface Place {
  readonly path: readonly PropertyKey[]
  readonly errors: AgreementError[]
  /** The member's real name where it is not the operator's: a rule's list `constraint` is an `and`. */
  readonly names?: Readonly<Record<string, string>>
}

const maxDepth = 8
const maxValues = 1000
const atomMembers = new Set(['leftOperand', 'operator', 'rightOperand'])

/** The limits of a constraint; everything that cannot be enforced is added to `place.errors`. */
export function readConstraint(constraint: unknown, place: Place): Limits {
  const { path, errors } = place
  const fail = (detail: string, ...more: PropertyKey[]): Limits => {
    errors.push({ pointer: jsonPointer([...path, ...more]), detail })
    return {}
  }
  if (typeof constraint !== 'object' || constraint === null || Array.isArray(constraint))
    return fail('not a constraint')
  const members = constraint as Readonly<Record<string, unknown>>
  if (Array.isArray(members['and']) && Object.keys(members).length === 1) {
    const name = place.names?.['and'] ?? 'and'
    if (path.length > maxDepth * 2) return fail('nested too deeply', name)
    const parts = members['and'] as readonly unknown[]
    return parts
      .map((part, index) => readConstraint(part, { path: [...path, name, index], errors }))
      .reduce<Limits>(both, {})
  }
  const unknown = Object.keys(members).filter((name) => !atomMembers.has(name))
  for (const name of unknown) fail('a constraint of this kind is not enforced', name)
  return unknown.length > 0 ? {} : readAtom(members, fail)
}

type Fail = (detail: string, ...more: PropertyKey[]) => Limits

function readAtom(members: Readonly<Record<string, unknown>>, fail: Fail): Limits {
  const { leftOperand, operator, rightOperand } = members
  if (typeof leftOperand !== 'string') return fail('missing, or not a text', 'leftOperand')
  if (typeof operator !== 'string') return fail('missing, or not a text', 'operator')
  const relation = shortOdrlTerm(operator)
  switch (shortOdrlTerm(leftOperand)) {
    case 'dateTime':
      return readMoment(relation, rightOperand, fail)
    case 'purpose':
      return readChoice(relation, rightOperand, { fail, limits: (purposes) => ({ purposes }) })
    case operationOperand:
      return readChoice(relation, rightOperand, { fail, limits: (operations) => ({ operations, usesProfile: true }) })
    case productOperand:
      return readChoice(relation, rightOperand, { fail, limits: (products) => ({ products, usesProfile: true }) })
    default:
      return fail('a left operand that this node does not know', 'leftOperand')
  }
}

function readMoment(relation: string, rightOperand: unknown, fail: Fail): Limits {
  const text = valueOf(rightOperand)
  const moment = text === undefined ? undefined : parseDateTime(text)
  if (moment === undefined) return fail('not an xsd:dateTime with a time zone', 'rightOperand')
  switch (relation) {
    case 'gteq':
      return { fromMs: moment }
    case 'gt':
      return { fromMs: moment + 1 }
    case 'lteq':
      return { untilMs: moment + 1 }
    case 'lt':
      return { untilMs: moment }
    default:
      return fail('an operator that is not enforced for moments', 'operator')
  }
}

function readChoice(
  relation: string,
  rightOperand: unknown,
  { fail, limits }: { readonly fail: Fail; readonly limits: (values: ReadonlySet<string>) => Limits },
): Limits {
  if (relation !== 'eq' && relation !== 'isAnyOf') return fail('an operator that is not enforced here', 'operator')
  const list = Array.isArray(rightOperand) ? (rightOperand as readonly unknown[]) : [rightOperand]
  if (relation === 'eq' && list.length !== 1) return fail('`eq` takes one value', 'rightOperand')
  if (list.length === 0 || list.length > maxValues) return fail('no value, or too many', 'rightOperand')
  const values = list.map(valueOf)
  const known = values.filter((value): value is string => value !== undefined && value !== '')
  return known.length < values.length ? fail('not a text or an IRI', 'rightOperand') : limits(new Set(known))
}

/** The text of a right operand: a string, an IRI `{"@id"}` or a typed value `{"@value","@type"}`. */
function valueOf(operand: unknown): string | undefined {
  if (typeof operand === 'string') return operand
  if (typeof operand !== 'object' || operand === null) return undefined
  const { '@id': id, '@value': value, '@type': type, ...rest } = operand as Readonly<Record<string, unknown>>
  const text = id ?? value
  const plain = Object.keys(rest).length === 0 && (id === undefined || (value === undefined && type === undefined))
  return plain && typeof text === 'string' && isKnownType(type) ? text : undefined
}

function isKnownType(type: unknown): boolean {
  if (type === undefined) return true
  if (typeof type !== 'string') return false
  return /^(?:xsd:|http:\/\/www\.w3\.org\/2001\/XMLSchema#)(?:dateTime|string|anyURI)$/.test(type)
}

function both(a: Limits, b: Limits): Limits {
  const products = common(a.products, b.products)
  const operations = common(a.operations, b.operations)
  const purposes = common(a.purposes, b.purposes)
  const from = Math.max(a.fromMs ?? -Infinity, b.fromMs ?? -Infinity)
  const until = Math.min(a.untilMs ?? Infinity, b.untilMs ?? Infinity)
  return {
    ...(products !== undefined && { products }),
    ...(operations !== undefined && { operations }),
    ...(purposes !== undefined && { purposes }),
    ...(from !== -Infinity && { fromMs: from }),
    ...(until !== Infinity && { untilMs: until }),
    ...((a.usesProfile === true || b.usesProfile === true) && { usesProfile: true }),
  }
}

function common(
  a: ReadonlySet<string> | undefined,
  b: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return intersection(a, b)
}

/** What both sets hold. */
export function intersection(a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...a].filter((value) => b.has(value)))
}
