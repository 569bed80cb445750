/** The wire form of a scope: an authorization detail (RFC 9396 §2.2). `type`, `actions`, `locations` (the holder) and
 *  `datatypes` (the domains) are the RFC's members, all others are those of `ConsentScope` by their own names:
 *
 *      { "type": "urn:comity:consent:1", "locations": ["did:web:federation.example"], "grant": "g1", "effect": "permit",
 *        "actions": ["read"], "datatypes": ["sport.body"], "purposes": ["https://w3id.org/dpv#ResearchAndDevelopment"],
 *        "products": ["athletes"], "fields": {"include": ["height"]} } */
import { scopeSchema } from '../consent/consent-scope-schema.ts'
import type { ConsentScope } from '../consent/consent-scope.ts'
import { Problem } from '../problems.ts'
import { consentDetailType } from './consent-claims.ts'

export interface ConsentDetail extends Omit<ConsentScope, 'domains'> {
  readonly type: typeof consentDetailType
  /** The holder's DID, and nothing else. */
  readonly locations: readonly [string]
  readonly datatypes: readonly string[]
}

/** The details of scopes; `holder` is the token's audience. */
export function detailsOfScopes(scopes: readonly ConsentScope[], holder: string): ConsentDetail[] {
  return scopes.map(({ domains, ...scope }) => ({
    type: consentDetailType,
    locations: [holder],
    datatypes: domains,
    ...scope,
  }))
}

/** The scopes of details. Throws `consent-token-invalid` for another type or place, for a member that is unknown or
 *  malformed, and when two details are of one grant. */
export function scopesOfDetails(details: readonly unknown[], holder: string): ConsentScope[] {
  const scopes = details.map((detail, index) => scopeOf(detail, index, holder))
  if (new Set(scopes.map(({ grant }) => grant)).size < scopes.length) throw invalid('two details are of one grant')
  return scopes
}

function scopeOf(detail: unknown, index: number, holder: string): ConsentScope {
  const place = `\`authorization_details.${index}\``
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) throw invalid(`${place} is not an object`)
  const { type, locations, datatypes, ...rest } = detail as Record<string, unknown>
  if (type !== consentDetailType) throw invalid(`${place} is not of the type \`${consentDetailType}\``)
  if (!Array.isArray(locations) || locations.length !== 1 || locations[0] !== holder) {
    throw invalid(`${place} is not for the audience of the token`)
  }
  if (Object.hasOwn(rest, 'domains')) throw invalid(`${place} has an unknown member`)
  const parsed = scopeSchema.safeParse({ ...rest, domains: datatypes })
  if (!parsed.success) throw invalid(`${place} is malformed or has an unknown member`, parsed.error)
  return parsed.data
}

function invalid(detail: string, cause?: unknown): Problem {
  return new Problem('consent-token-invalid', detail, { cause })
}
