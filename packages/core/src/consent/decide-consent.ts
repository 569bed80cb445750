/** What the scopes of a consent release for one call. Pure; the same rule decides on a record and on a token. */
import type { ConsentAction, ConsentScope, DataPeriod } from './consent-scope.ts'
import { momentMs } from './consent-texts.ts'
import { decideChange, type Change } from './decide-change.ts'
import { durationBounds, parseDuration, subtractDuration } from './durations.ts'
import { isPurposeWithin } from './purposes.ts'
import { releasedFields, type FieldLabel, type ReleasedFields } from './released-fields.ts'
import type { Release, ReleasePart, ReleasePeriod } from './release.ts'

/** One call, as far as a consent can tell. */
export interface ScopeQuestion {
  /** IRI that the caller stated. */
  readonly purpose: string | undefined
  readonly action: ConsentAction
  readonly product: string
  /** In the product's order. A field that has no label is never released. */
  readonly labels: readonly FieldLabel[]
  /** Field paths that the call asks for; all labelled ones when undefined. */
  readonly requested?: readonly string[] | undefined
  /** What the call changes; undefined for one that changes nothing. */
  readonly change?: Change | undefined
  /** The caller's country (ISO 3166-1 alpha-2), where the holder knows it. */
  readonly country?: string | undefined
  readonly nowMs: number
}

/** How often a grant may be used: `maxUses` ever, `max` in any `perMs` milliseconds. */
export interface UseLimit {
  readonly grant: string
  readonly maxUses?: number | undefined
  readonly max?: number | undefined
  readonly perMs?: number | undefined
}

type RefusalCode = 'consent-scope' | 'consent-purpose' | 'consent-place'

export type ScopeVerdict =
  | {
      readonly allowed: true
      readonly release: Release
      /** Of the grants that release something, and only those that limit. */
      readonly limits: readonly UseLimit[]
    }
  | {
      readonly allowed: false
      readonly code: RefusalCode
      readonly detail: string
      /** What the call itself says that it changes, and may not. */
      readonly fields?: readonly string[] | undefined
    }

/** A field goes to the first permitting scope that covers it, less what any refusal covers. Fields may lie below a
 *  label, where a scope or the call names a part of it. A label above something that is withheld is withheld too. */
export function decideConsent(scopes: readonly ConsentScope[], question: ScopeQuestion): ScopeVerdict {
  const concerned = scopes.filter((scope) => concerns(scope, question))
  const permits = concerned.filter(({ effect }) => effect === 'permit')
  if (permits.length === 0) return deny('consent-scope', 'the consent does not cover this product and action')

  const { purpose, country } = question
  const forPurpose = purpose === undefined ? [] : permits.filter((scope) => isPurposeWithin(purpose, scope.purposes))
  if (purpose === undefined || forPurpose.length === 0) {
    return deny('consent-purpose', 'the consent does not cover the stated purpose')
  }
  const forPlace = forPurpose.filter(({ geo }) => permitsPlace(geo, country))
  if (forPlace.length === 0) return deny('consent-place', "the consent does not cover the caller's place")

  const refusals = concerned.filter((scope) => scope.effect === 'deny' && refuses(scope, purpose, country))
  const change =
    question.change &&
    decideChange({ permits: forPlace, refusals }, question.change, (scope) => partOf(scope, [], question))
  if (change !== undefined && change.refused.length > 0) return denyChange(change.refused)
  const given = releasedFields(forPlace, refusals, question)
  const changing = (change?.scopes ?? []).filter((scope) => !given.byScope.has(scope))
  if (given.released.length === 0 && changing.length === 0) {
    return deny('consent-scope', 'the consent covers none of the fields that are asked for')
  }
  const { released, withheld } = given
  const giving = [...given.byScope.keys(), ...changing]
  return {
    allowed: true,
    release: { parts: partsOf(giving, given, { forPlace, refusals, question }), released, withheld },
    limits: giving.flatMap(limitOf),
  }
}

/** A scope under which something is only changed has a part without fields. */
function partsOf(
  scopes: readonly ConsentScope[],
  { byScope }: ReleasedFields,
  { forPlace, refusals, question }: Judged,
): ReleasePart[] {
  const { requested, labels } = question
  const whole = requested && releasedFields(forPlace, refusals, { labels }).byScope
  return scopes.map((scope) => ({
    ...partOf(scope, byScope.get(scope) ?? [], question),
    ...(whole && { givable: whole.get(scope) ?? [] }),
  }))
}

interface Judged {
  readonly forPlace: readonly ConsentScope[]
  readonly refusals: readonly ConsentScope[]
  readonly question: ScopeQuestion
}

/** Fields that are told of a refusal. */
const maxTold = 20

function denyChange(refused: readonly string[]): ScopeVerdict {
  const fields = refused.slice(0, maxTold)
  const names = fields.map((field) => `\`${field}\``).join(', ')
  return { ...deny('consent-scope', `the consent does not let the call change ${names}`), fields }
}

function concerns({ products, actions }: ConsentScope, { product, action }: ScopeQuestion): boolean {
  return products.includes(product) && actions.includes(action)
}

// Where the caller's country is not known, no rule on countries can be said to be kept.
function permitsPlace(geo: ConsentScope['geo'], country: string | undefined): boolean {
  if (geo?.allow === undefined && geo?.deny === undefined) return true
  if (country === undefined) return false
  return (geo.allow?.includes(country) ?? true) && !(geo.deny?.includes(country) ?? false)
}

// A purpose that is wider than a refused one takes it in. An unknown place may be the refused one.
function refuses({ purposes, geo }: ConsentScope, purpose: string, country: string | undefined): boolean {
  const concernsPurpose =
    isPurposeWithin(purpose, purposes) || purposes.some((refused) => isPurposeWithin(refused, [purpose]))
  return concernsPurpose && (country === undefined || permitsPlace(geo, country))
}

function partOf(scope: ConsentScope, fields: readonly string[], { nowMs }: ScopeQuestion): ReleasePart {
  const { grant, transforms = [], filters = [], dataPeriod } = scope
  return {
    grant,
    fields,
    transforms,
    filters,
    ...(dataPeriod !== undefined && { period: periodOf(dataPeriod, nowMs) }),
  }
}

function periodOf(period: DataPeriod, nowMs: number): ReleasePeriod {
  if ('lookback' in period) {
    const lookback = parseDuration(period.lookback)
    // A duration that cannot be read reaches back to nothing.
    return { fromMs: lookback === undefined ? nowMs : subtractDuration(nowMs, lookback) }
  }
  const { from, to } = period
  return { ...(from !== undefined && { fromMs: momentMs(from) }), ...(to !== undefined && { toMs: momentMs(to) }) }
}

function limitOf({ grant, fetch, maxUses }: ConsentScope): UseLimit[] {
  const uses = fetch?.type === 'once' ? 1 : maxUses
  const per = fetch?.per === undefined ? undefined : parseDuration(fetch.per)
  if (uses === undefined && per === undefined) return []
  return [
    {
      grant,
      ...(uses !== undefined && { maxUses: uses }),
      ...(per !== undefined && { max: fetch?.max ?? 0, perMs: durationBounds(per).longestMs }),
    },
  ]
}

function deny(code: RefusalCode, detail: string): ScopeVerdict & { readonly allowed: false } {
  return { allowed: false, code, detail }
}
