/** A consent as an ODRL 2.2 agreement (https://www.w3.org/TR/odrl-model/): what it allows now. Terms that ODRL does not
 *  have are of Comity's profile, so a reader that does not know the profile must not act on the policy (§2.1). */
import { comityProfile, productOperand, productsTarget } from '../agreement/vocabulary.ts'
import type { ConsentGrant, ConsentParty, ConsentRecord } from './consent-record.ts'
import type { ConsentAction } from './consent-scope.ts'
import { dpvNamespace } from './dpv-purposes.ts'
import { dpvStatus, type ExportedConsent } from './export-27560.ts'
import { recordHash } from './parse-record.ts'

/** Left operand: a grant as it is enforced, as a JSON literal. */
export const grantOperand = 'urn:comity:odrl:consentGrant'

type Json = Readonly<Record<string, unknown>>

const actions: Readonly<Record<ConsentAction, string>> = {
  read: 'read',
  query: 'extract',
  compute: 'derive',
  write: 'modify',
  append: 'modify',
  delete: 'delete',
}
const duties: Readonly<Record<string, string>> = { notify: 'inform', attribute: 'attribute', delete: 'delete' }

/** The policy, a JSON-LD object. Assigner is who granted, assignee the recipient. A consent that is not active allows
 *  nothing: the policy then prohibits all use. */
export function exportOdrl({ record, state }: ExportedConsent): Json {
  const permits = record.grants.filter(({ effect }) => effect === 'permit')
  const refusals = record.grants.filter(({ effect }) => effect === 'deny')
  const rules =
    state === 'active'
      ? {
          permission: [
            ...permits.map((grant) => permission(grant, record)),
            ...permits.flatMap((grant) => onwardPermission(grant, record)),
          ],
          prohibition: [...refusals.map((grant) => rule(grant, record)), ...onwardProhibition(permits)],
        }
      : {
          prohibition: [
            ruleOn(
              record.grants.flatMap(({ products }) => products),
              { action: 'use' },
            ),
          ],
        }
  return {
    '@context': [
      'http://www.w3.org/ns/odrl.jsonld',
      { dpv: dpvNamespace, dct: 'http://purl.org/dc/terms/', comity: 'urn:comity:odrl:' },
    ],
    '@type': 'Agreement',
    uid: record.id,
    profile: comityProfile,
    conflict: 'prohibit',
    'dct:created': record.createdAt,
    'dct:hasVersion': String(record.rev),
    'comity:recordHash': recordHash(record),
    'dpv:hasConsentStatus': { '@id': dpvStatus(state) },
    assigner: iriOf(record.grantor.id),
    assignee: partyId(record, 'recipient'),
    ...Object.fromEntries(Object.entries(rules).filter(([, list]) => list.length > 0)),
  }
}

function permission(grant: ConsentGrant, record: ConsentRecord): Json {
  const owed = dutiesOf(grant)
  return { ...rule(grant, record), ...(owed.length > 0 && { duty: owed }) }
}

function rule(grant: ConsentGrant, record: ConsentRecord): Json {
  return ruleOn(grant.products, {
    uid: ruleId(grant, record),
    action: [...new Set(grant.actions.map((action) => actions[action]))],
    constraint: limitsOf(grant, record),
  })
}

/** Names of products are told as in agreements: one is the target, several are a constraint. */
function ruleOn(products: readonly string[], { constraint: limits = [], ...members }: RuleParts): Json {
  const [product, ...more] = new Set(products)
  const constraints =
    more.length === 0 ? limits : [constraint(productOperand, 'isAnyOf', [product, ...more]), ...limits]
  return {
    target: more.length === 0 ? product : productsTarget,
    ...members,
    ...(constraints.length > 0 && { constraint: constraints }),
  }
}

interface RuleParts {
  readonly uid?: string
  readonly action: string | readonly string[]
  readonly constraint?: readonly Json[]
}

/** Grants of two consents may have the same name; rules may not. */
function ruleId({ grant }: ConsentGrant, { id }: ConsentRecord): string {
  return `urn:comity:grant:${id.slice('urn:uuid:'.length)}:${grant}`
}

function limitsOf(grant: ConsentGrant, { validity, subject }: ConsentRecord): readonly Json[] {
  const { geo, maxUses, fetch } = grant
  const uses = fetch?.type === 'once' ? 1 : maxUses
  return [
    constraint('dateTime', 'gteq', typed(validity.notBefore, 'dateTime')),
    constraint('dateTime', 'lt', typed(validity.expires, 'dateTime')),
    purposeConstraint(grant.purposes),
    ...(geo?.allow === undefined ? [] : [constraint('spatial', 'isAnyOf', places(geo.allow))]),
    ...(geo?.deny === undefined ? [] : [constraint('spatial', 'isNoneOf', places(geo.deny))]),
    ...(uses === undefined ? [] : [constraint('count', 'lteq', uses)]),
    constraint('urn:comity:odrl:subject', 'eq', subject.id),
    constraint(grantOperand, 'eq', { '@type': '@json', '@value': grant }),
  ]
}

// A stated purpose may be narrower than the one consented to, which is ODRL's `isA`.
function purposeConstraint(purposes: readonly string[]): Json {
  const [first, ...more] = purposes.map((iri) => constraint('purpose', 'isA', { '@id': iri }))
  return first !== undefined && more.length === 0 ? first : { or: [first, ...more] }
}

function dutiesOf({ retention, obligations = [] }: ConsentGrant): readonly Json[] {
  return [
    ...(retention?.for === undefined
      ? []
      : [{ action: 'delete', constraint: [constraint('elapsedTime', 'lteq', typed(retention.for, 'duration'))] }]),
    ...(retention?.until === undefined
      ? []
      : [{ action: 'delete', constraint: [constraint('dateTime', 'lteq', typed(retention.until, 'dateTime'))] }]),
    ...obligations.map((name) => ({ action: duties[name] ?? (name.includes(':') ? name : `comity:${name}`) })),
  ]
}

/** Within the limits of the grant itself. */
function onwardPermission(grant: ConsentGrant, record: ConsentRecord): readonly Json[] {
  const { products, onward } = grant
  if (onward === undefined || !mayPassOn(onward)) return []
  const recipients = onward.recipients?.map((id) => ({ '@id': id }))
  const limits = recipients === undefined ? [] : [constraint('recipient', 'isAnyOf', recipients)]
  const uid = `${ruleId(grant, record)}:onward`
  return [ruleOn(products, { uid, action: 'distribute', constraint: [...limits, ...limitsOf(grant, record)] })]
}

/** Not for a product that another grant lets pass on: a prohibition wins over every permission. */
function onwardProhibition(permits: readonly ConsentGrant[]): readonly Json[] {
  const passedOn = new Set(permits.flatMap(({ products, onward }) => (mayPassOn(onward) ? products : [])))
  const kept = permits.flatMap(({ products }) => products.filter((product) => !passedOn.has(product)))
  return kept.length === 0 ? [] : [ruleOn(kept, { action: 'distribute' })]
}

function mayPassOn(onward: ConsentGrant['onward']): boolean {
  return onward !== undefined && onward.allow !== 'none'
}

// A pairwise id alone would be an address relative to the document.
function iriOf(id: string): string {
  return /^[a-z][a-z0-9+.-]*:/.test(id) ? id : `urn:comity:pairwise:${id}`
}

function constraint(leftOperand: string, operator: string, rightOperand: unknown): Json {
  return { leftOperand, operator, rightOperand }
}

function typed(value: string, type: 'dateTime' | 'duration'): Json {
  return { '@value': value, '@type': `xsd:${type}` }
}

function places(codes: readonly string[]): readonly Json[] {
  return codes.map((code) => ({ '@id': `https://w3id.org/dpv/loc#${code}` }))
}

function partyId({ parties }: ConsentRecord, role: ConsentParty['role']): string | undefined {
  return parties.find((party) => party.role === role)?.id
}
