/** Properties of delegation over random grants, against the rule that decides on calls: what a child gives, its parent
 *  gives, on terms that are no easier; and a chain in which one character is another is no chain. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { consentActions, type ConsentScope } from '../consent/consent-scope.ts'
import { decideConsent, type ScopeQuestion, type ScopeVerdict, type UseLimit } from '../consent/decide-consent.ts'
import { coveredByAny } from '../consent/field-path.ts'
import type { ReleasePart } from '../consent/release.ts'
import { Problem } from '../problems.ts'
import { parseConsentChain } from './consent-authorization.ts'
import { verifyConsentChain } from './consent-chain.ts'
import type { ConsentTokenClaims } from './consent-claims.ts'
import { archive, delegated, federation, rootClaims, rootToken, statistics, testNow, threeLinks } from './test-chain.ts'
import { childIssuer, narrowingFaults } from './token-narrowing.ts'

const dpv = 'https://w3id.org/dpv#'
const purposes = ['ResearchAndDevelopment', 'AcademicResearch', 'CommercialResearch', 'CommercialPurpose'].map(
  (name) => dpv + name,
)
const labels = [
  { path: 'name', domain: 'identity' },
  { path: 'address', domain: 'identity' },
  { path: 'address.city', domain: 'identity.place' },
  { path: 'height', domain: 'sport.body' },
  { path: 'results[].event', domain: 'sport.results' },
  { path: 'results[].doctor', domain: 'sport' },
]
const paths = [...labels.map(({ path }) => path), 'address.street', 'address.city.part', 'results', 'results[]']
const some = <T>(values: readonly T[]) => fc.subarray([...values], { minLength: 1 })
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 })

const filters = [
  { path: 'year', op: '>' as const, value: 2020 },
  { path: 'sport', op: '=' as const, value: 'judo' },
]
const transforms = [
  { path: 'name', op: 'hash' as const },
  { path: 'height', op: 'round' as const, arg: 10 },
]
const members = {
  purposes: some(purposes),
  actions: some(consentActions.slice(0, 3)),
  products: some(['athletes', 'results']),
  domains: some(['identity', 'identity.place', 'sport', 'sport.body', 'sport.results']),
  fields: maybe(fc.record({ include: maybe(some(paths)), exclude: maybe(some(paths)) })),
  transforms: maybe(fc.subarray(transforms)),
  filters: maybe(fc.subarray(filters)),
  dataPeriod: maybe(
    fc.constantFrom(
      { lookback: 'P30D' },
      { lookback: 'P1Y' },
      { from: '2020-01-01T00:00:00Z' },
      { from: '2021-01-01T00:00:00Z', to: '2023-01-01T00:00:00Z' },
    ),
  ),
  fetch: maybe(
    fc.constantFrom<NonNullable<ConsentScope['fetch']>>(
      { type: 'once' },
      { type: 'periodic', max: 2, per: 'P1D' },
      { type: 'periodic', max: 1, per: 'P30D' },
      { type: 'continuous' },
    ),
  ),
  maxUses: maybe(fc.integer({ min: 1, max: 3 })),
  geo: maybe(fc.constantFrom({ allow: ['DE'] }, { allow: ['DE', 'FR'] }, { deny: ['US'] })),
}
const limits = ['transforms', 'filters', 'dataPeriod', 'fetch', 'maxUses'] as const

/** A scope that is written as the wire has it: without members that are undefined. */
function scopeOf(grant: string, values: object): ConsentScope {
  const { effect = 'permit', ...rest } = JSON.parse(JSON.stringify(values)) as Partial<ConsentScope>
  const denied = effect === 'deny' ? Object.fromEntries(limits.map((name) => [name, undefined])) : {}
  const onward = effect === 'permit' ? { onward: { allow: 'any' } } : {}
  return JSON.parse(JSON.stringify({ ...rest, ...denied, ...onward, grant, effect })) as ConsentScope
}

const permit = fc.record(members)
const parentScopes = fc
  .tuple(fc.array(permit, { minLength: 1, maxLength: 3 }), maybe(permit))
  .map(([permits, denial]) => [
    ...permits.map((values, index) => scopeOf(`g${index}`, values)),
    ...(denial === undefined ? [] : [scopeOf('n1', { ...denial, effect: 'deny' })]),
  ])

/** A child that keeps, drops, reorders or changes grants: mostly by one member, so that many are narrower. */
const changed = fc.record({ keep: fc.boolean(), member: fc.constantFrom(...Object.keys(members)), other: permit })
const chainScopes = fc
  .tuple(parentScopes, fc.array(changed, { minLength: 4, maxLength: 4 }), fc.nat(9))
  .map(([parent, changes, turn]) => {
    const child = parent.flatMap((scope, index) => {
      const change = changes[index]!
      if (scope.effect === 'deny') return turn === 1 ? [] : [scope]
      if (!change.keep && index > 0) return []
      return [scopeOf(scope.grant, { ...scope, [change.member]: change.other[change.member as keyof typeof members] })]
    })
    return { parent, child: turn === 0 ? child.toReversed() : child }
  })

interface Scopes {
  readonly parent: readonly ConsentScope[]
  readonly child: readonly ConsentScope[]
}

const question: fc.Arbitrary<ScopeQuestion> = fc.record(
  {
    purpose: fc.constantFrom(...purposes),
    action: fc.constantFrom(...consentActions.slice(0, 3)),
    product: fc.constantFrom('athletes', 'results'),
    labels: fc.constant(labels),
    requested: some(paths),
    country: fc.constantFrom('DE', 'FR', 'US'),
    nowMs: fc.constant(testNow * 1000),
  },
  { requiredKeys: ['purpose', 'action', 'product', 'labels', 'nowMs'] },
)

function claimsOf(parent: ConsentTokenClaims, scopes: readonly ConsentScope[]): ConsentTokenClaims {
  return {
    ...parent,
    iss: childIssuer(parent),
    client_id: statistics.did,
    consent: { ...parent.consent, delegation: 'd1' },
    authorization_details: scopes,
    del_depth: parent.del_depth + 1,
  }
}

type Allowed = Extract<ScopeVerdict, { allowed: true }>

/** Each field that the child gives, its parent gives on no easier terms to who asks for all of it, or for less. */
function assertNoEasier(child: Allowed, parents: readonly Allowed[]): void {
  for (const part of child.release.parts) {
    for (const field of part.fields) {
      const isGiven = parents.some((parent) => {
        const given = parent.release.parts.find(({ fields }) => coveredByAny(fields, field))
        return (
          given !== undefined && isOnTerms(part, given) && isLimited(limitFor(child, part), limitFor(parent, given))
        )
      })
      assert(isGiven, `${field} is given by the child only, or on easier terms`)
    }
  }
}

function isOnTerms(part: ReleasePart, given: ReleasePart): boolean {
  const own = part.filters.map((filter) => JSON.stringify(filter))
  const { fromMs = -Infinity, toMs = Infinity } = given.period ?? {}
  return (
    given.filters.every((filter) => own.includes(JSON.stringify(filter))) &&
    JSON.stringify(part.transforms.slice(0, given.transforms.length)) === JSON.stringify(given.transforms) &&
    (part.period?.fromMs ?? -Infinity) >= fromMs &&
    (part.period?.toMs ?? Infinity) <= toMs
  )
}

const limitFor = (verdict: Allowed, { grant }: ReleasePart) => verdict.limits.find((limit) => limit.grant === grant)

function isLimited(own: UseLimit | undefined, given: UseLimit | undefined): boolean {
  if ((own?.maxUses ?? Infinity) > (given?.maxUses ?? Infinity)) return false
  if (given?.max === undefined || own?.maxUses === 1) return true
  return own?.max !== undefined && own.max <= given.max && (own.perMs ?? 0) >= (given.perMs ?? 0)
}

/** How many calls the child permits; throws when its parent does not, or on easier terms only. */
function comparedCalls({ parent, child }: Scopes, questions: readonly ScopeQuestion[]): number {
  const root = rootClaims({ authorization_details: parent })
  if (child.length === 0 || narrowingFaults(claimsOf(root, child), root).length > 0) return 0
  let compared = 0
  for (const asked of questions) {
    const ofChild = decideConsent(child, asked)
    if (!ofChild.allowed) continue
    compared += 1
    // What the parent withholds of a larger field, it gives to who asks for the smaller.
    const smaller = decideConsent(parent, { ...asked, requested: ofChild.release.released })
    assert(smaller.allowed, smaller.allowed ? '' : smaller.detail)
    const same = decideConsent(parent, asked)
    assertNoEasier(ofChild, same.allowed ? [same, smaller] : [smaller])
  }
  return compared
}

test('each call that a child permits, its parent permits, with the same fields and no easier terms', () => {
  let compared = 0
  const chains = fc.array(chainScopes, { minLength: 20, maxLength: 20 })
  fc.assert(
    fc.property(chains, fc.array(question, { minLength: 12, maxLength: 12 }), (pairs, questions) => {
      for (const scopes of pairs) compared += comparedCalls(scopes, questions)
    }),
    { numRuns: 150 },
  )
  assert(compared > 500, `only ${compared} calls were compared`)
})

test('what is minted always verifies, and what is refused never does', () => {
  let minted = 0
  fc.assert(
    fc.property(chainScopes, fc.integer({ min: -400, max: 400 }), ({ parent, child }, lifeSeconds) => {
      const terms = { parent: rootToken({ authorization_details: parent }), scopes: child }
      try {
        const chain = delegated({ ...terms, createdAt: testNow, expiresAt: testNow + lifeSeconds })
        const facts = { holder: federation.did, nowMs: testNow * 1000, skewSeconds: 0 }
        verifyConsentChain(parseConsentChain(chain), federation.verifyingKey, facts)
        minted += 1
      } catch (error) {
        assert(error instanceof Problem && error.code === 'delegation-refused', String(error))
      }
    }),
    { numRuns: 200 },
  )
  assert(minted > 10, `only ${minted} delegations were minted`)
})

test('a chain with one character changed, left out, doubled or added is refused', () => {
  const chain = threeLinks()
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~.= +/'
  const facts = { holder: federation.did, nowMs: (testNow + 20) * 1000, skewSeconds: 0 }
  fc.assert(
    fc.property(
      fc.nat(chain.length - 1),
      fc.constantFrom(...alphabet),
      fc.constantFrom('change', 'omit', 'double', 'insert'),
      (at, character, kind) => {
        const middle = { change: character, omit: '', double: chain[at]! + chain[at]!, insert: character + chain[at]! }
        const tampered = chain.slice(0, at) + middle[kind] + chain.slice(at + 1)
        if (tampered === chain) return
        assert.throws(
          () => verifyConsentChain(parseConsentChain(tampered), federation.verifyingKey, facts),
          (error) => error instanceof Problem && error.code === 'consent-token-invalid',
        )
      },
    ),
    { numRuns: 200 },
  )
})

test('no choice of links from two honest chains makes another chain', () => {
  const other = delegated({ delegation: 'd9', delegate: { did: archive.did, jwk: archive.key.publicJwk } })
  const long = threeLinks()
  const links = [...long.split('~'), ...other.split('~')]
  const honest = new Set([links[0], links.slice(0, 2).join('~'), long, other])
  const facts = { holder: federation.did, nowMs: (testNow + 20) * 1000, skewSeconds: 0 }
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...links), { minLength: 1, maxLength: 4 }), (chosen) => {
      const chain = chosen.join('~')
      const verify = () => verifyConsentChain(parseConsentChain(chain), federation.verifyingKey, facts)
      if (honest.has(chain)) verify()
      else assert.throws(verify, Problem)
    }),
    { numRuns: 200 },
  )
})
