/** The fields that left with an answer and those that did not, as a receipt states them: the lists while they are short
 *  enough for a header field, else one hash over both. */
import { sha256Text } from '#crypto'
import { canonicalJson } from '../bytes/canonical-json.ts'

export interface FieldLists {
  readonly released?: readonly string[] | undefined
  readonly withheld?: readonly string[] | undefined
}

/** The claims of a receipt that are about fields. */
export interface FieldClaims {
  readonly rel?: readonly string[] | undefined
  readonly wit?: readonly string[] | undefined
  /** SHA-256 (base64url) over the canonical JSON (RFC 8785) of `{"released":[…],"withheld":[…]}`. */
  readonly fld?: string | undefined
}

/** Longest lists that stand in a receipt, as JSON in characters, and the most names. */
const maxListed = 3_000
const maxNames = 256

/** The claims for the lists; `longest` is their greatest length as JSON. */
export function fieldClaims({ released, withheld }: FieldLists, longest = maxListed): FieldClaims {
  if (released === undefined && withheld === undefined) return {}
  const lists = { released: released ?? [], withheld: withheld ?? [] }
  const isShort = Object.values(lists).every(({ length }) => length <= maxNames)
  if (isShort && JSON.stringify(lists).length <= longest) return { rel: lists.released, wit: lists.withheld }
  return { fld: fieldsHash(lists) }
}

/** Most policies that a receipt names, and the longest such list, as JSON in characters. */
const maxPolicies = 64
const maxPolicyText = 1_500

/** The claim that names the policies which decided: their ids, or for too many one text `sha-256:` and the base64url
 *  SHA-256 over the canonical JSON (RFC 8785) of the list. */
export function policyClaims(
  policies: readonly string[] | undefined,
  longest = maxPolicyText,
): { readonly pol?: readonly string[] } {
  if (policies === undefined) return {}
  const isShort = policies.length <= maxPolicies && JSON.stringify(policies).length <= longest
  return { pol: isShort ? policies : [`sha-256:${sha256Text(canonicalJson(policies), 'base64url')}`] }
}

/** The hash that stands for lists that are too long. */
export function fieldsHash({ released = [], withheld = [] }: FieldLists): string {
  return sha256Text(canonicalJson({ released, withheld }), 'base64url')
}
