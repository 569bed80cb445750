/** What of a record's grant goes into tokens. */
import type { ConsentGrant } from '@comity/core/consent/consent-record'
import type { ConsentScope } from '@comity/core/consent/consent-scope'
import { scopeShape } from '@comity/core/consent/consent-scope-schema'

/** The enforced part of a grant; what is only told stays in the record. */
export function scopeOfGrant(grant: ConsentGrant): ConsentScope {
  const members = Object.entries(grant).filter(([name]) => Object.hasOwn(scopeShape, name))
  return Object.fromEntries(members) as unknown as ConsentScope
}
