/** Whether a token of a chain allows no more than the one before it: claims, grants, and to whom they may be passed. */
import { canonicalJson } from '../bytes/canonical-json.ts'
import type { ConsentScope } from '../consent/consent-scope.ts'
import { jwkThumbprint } from '../crypto/jwk.ts'
import { maxDelegationDepth, type ConsentTokenClaims } from './consent-claims.ts'
import { precedenceFaults } from './grant-precedence.ts'
import { mayPassOn } from './onward-sharing.ts'
import { scopeNarrowingFaults } from './scope-narrowing.ts'

const thumbprintPrefix = 'urn:ietf:params:oauth:jwk-thumbprint:sha-256:'

/** `iss` of the children of a token: the thumbprint URI (RFC 9278) of the key that it is bound to. */
export function childIssuer(parent: ConsentTokenClaims): string {
  return thumbprintPrefix + jwkThumbprint(parent.cnf.jwk)
}

/** What in a child does not follow from its parent, a sentence each; none when the child allows no more. Whether the
 *  child commits to this very parent (`par_hash`) and who signed it is not looked at. */
export function narrowingFaults(child: ConsentTokenClaims, parent: ConsentTokenClaims): string[] {
  return [...identityFaults(child, parent), ...boundFaults(child, parent), ...passedOnFaults(child, parent)]
}

function identityFaults(child: ConsentTokenClaims, parent: ConsentTokenClaims): string[] {
  const { id, rev, hash } = parent.consent
  const consent = child.consent
  return faults([
    [child.iss === childIssuer(parent), '`iss` is not the key of the parent'],
    [child.aud === parent.aud, "`aud` is not the parent's"],
    [child.sub === parent.sub, "`sub` is not the parent's"],
    [consent.id === id && consent.rev === rev && consent.hash === hash, "`consent` is not the parent's"],
    [consent.delegation !== undefined, '`consent` names no delegation'],
    [isSameSignIn(child, parent), '`acr`, `amr` or `auth_time` tells of another sign-in'],
  ])
}

function boundFaults(child: ConsentTokenClaims, parent: ConsentTokenClaims): string[] {
  const { del_depth: depth, del_max_depth: maxDepth } = child
  return faults([
    [depth === parent.del_depth + 1, "`del_depth` is not one more than the parent's"],
    [depth <= Math.min(parent.del_max_depth, maxDelegationDepth), 'the chain is deeper than allowed'],
    [maxDepth <= parent.del_max_depth, '`del_max_depth` has grown'],
    [child.iat >= parent.iat, '`iat` is earlier than the parent'],
    [child.nbf >= parent.nbf, '`nbf` is earlier than the parent'],
    [child.exp <= parent.exp, '`exp` is later than the parent'],
  ])
}

/** What the holder said of the person's sign-in may be left out, not changed. */
function isSameSignIn(child: ConsentTokenClaims, parent: ConsentTokenClaims): boolean {
  return (['acr', 'amr', 'auth_time'] as const).every(
    (claim) => child[claim] === undefined || canonicalJson(child[claim]) === canonicalJson(parent[claim] ?? null),
  )
}

/** What of a token says which grants are passed on, to whom and how deep. */
export type PassedOn = Pick<ConsentTokenClaims, 'authorization_details' | 'client_id' | 'del_depth'>
type Parent = Pick<ConsentTokenClaims, 'authorization_details'>

/** What in the grants of a child is more than its parent may pass on, a sentence each. */
export function passedOnFaults(child: PassedOn, parent: Parent): string[] {
  const grants = new Map(parent.authorization_details.map((scope) => [scope.grant, scope]))
  const passed = child.authorization_details.flatMap((scope) => scopeFaults(scope, grants.get(scope.grant), child))
  const order = precedenceFaults(child.authorization_details, parent.authorization_details)
  return [...passed, ...denialFaults(child, parent), ...order]
}

/** A denial of its own only takes away; the parent's are looked at by `denialFaults`. */
function scopeFaults(scope: ConsentScope, parent: ConsentScope | undefined, child: PassedOn): string[] {
  if (scope.effect === 'deny' && parent?.effect !== 'permit') return []
  if (parent === undefined) return [`the grant \`${scope.grant}\` is not among the parent's`]
  const mayPass = mayPassOn(parent, child.client_id, child.del_depth)
  const onward = faults([[mayPass, `the grant \`${scope.grant}\` may not be passed on to this participant or so deep`]])
  return [...onward, ...scopeNarrowingFaults(scope, parent)]
}

/** A denial is kept to the letter: whatever narrows a permission would widen what a denial leaves. */
function denialFaults(child: Parent, parent: Parent): string[] {
  const kept = new Set(child.authorization_details.map(canonicalJson))
  return parent.authorization_details
    .filter((scope) => scope.effect === 'deny' && !kept.has(canonicalJson(scope)))
    .map(({ grant }) => `the denial \`${grant}\` of the parent is not kept`)
}

function faults(rules: readonly (readonly [holds: boolean, fault: string])[]): string[] {
  return rules.filter(([holds]) => !holds).map(([, fault]) => fault)
}
