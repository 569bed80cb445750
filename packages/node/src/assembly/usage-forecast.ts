/** When callers will have used up their quotas, from what was counted of their calls. */
import { forecastHours, leastHistoryHours } from '@comity/core/forecast/forecast'
import { decideQuotaForecast, hoursUntil } from '@comity/core/forecast/quota-forecast'
import { quotaSpan } from '@comity/core/limits/quota'
import type { QuotaForecastFacts } from '../admin/forecast-routes.ts'
import type { CalendarLimit } from '../limits/limit.ts'
import type { NodeParts } from '../node.ts'
import { usageDimensions, type UsageFacts } from '../usage/usage-record.ts'
import { dayMs, hourMs, type UsageFilter } from '../usage/usage-store.ts'
import { quotaPlaces, type QuotaPlace } from './quota-places.ts'

/** Who did not call for so long has no line. */
const callersOfDays = 35

type Parts = Pick<NodeParts, 'usage' | 'limits' | 'counterparts' | 'foundation' | 'apiKeys'>

/** In the order of their names, behind `after`. */
export async function forecastQuotas(
  parts: Parts,
  { after, limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<QuotaForecastFacts[]> {
  const { usage, limits, counterparts, foundation } = parts
  await usage.flush()
  const nowMs = foundation.world.clock.now()
  const recent = { side: 'holder', fromMs: nowMs - callersOfDays * dayMs, untilMs: nowMs + hourMs } as const
  const callers = await usage.store.callers(recent)
  const places = quotaPlaces(limits.calls.parts.rules, callers, {
    aliasOf: (did) => counterparts.partners.findByDid(did)?.alias,
    lineOf: (key) => parts.apiKeys.loaded?.lineOf(key) ?? key,
  }).filter((place) => after === undefined || nameOf(place) > after)
  const told: QuotaForecastFacts[] = []
  for (const place of places.slice(0, limit)) told.push(await forecastOf(parts, place, nowMs))
  return told
}

const nameOf = ({ rule, key }: QuotaPlace): string => `${rule.limit.name} ${key}`

async function forecastOf(parts: Parts, place: QuotaPlace, nowMs: number): Promise<QuotaForecastFacts> {
  const { per } = place.rule.limit
  const { units, used } = await standingOf(parts, place, nowMs)
  const { endMs } = quotaSpan(per, nowMs)
  const history = await historyOf(parts, place, nowMs)
  const facts = { name: nameOf(place), limit: place.rule.limit.name, whose: whoseOf(place), per, units, used, endMs }
  const forecast = forecastHours(history, hoursUntil(endMs, nowMs))
  const known = { ...facts, historyHours: history.length, leastHistoryHours }
  if (forecast === undefined) return { ...known, forecast: undefined }
  const { method, error, sums } = forecast
  return { ...known, forecast: { method, error, ...decideQuotaForecast({ nowMs, endMs, used, limit: units, sums }) } }
}

/** Asks the limiter, and charges nothing. */
async function standingOf({ limits }: Parts, { rule, key }: QuotaPlace, nowMs: number) {
  const { limiter, raised } = limits.calls.parts
  const raisedTo = raised?.(rule.limit, key)
  const limit: CalendarLimit = raisedTo?.kind === 'quota' ? raisedTo : rule.limit
  const { standings } = await limiter.charge([{ limit, key, cost: 0, onStoreFailure: 'admit' }], nowMs)
  return { units: limit.units, used: standings[0]?.verdict.used ?? 0 }
}

/** Units of each hour that is over, from the first with a call on. */
async function historyOf({ usage, foundation }: Parts, { callers }: QuotaPlace, nowMs: number): Promise<number[]> {
  const thisHour = Math.floor(nowMs / hourMs)
  const oldest = thisHour - foundation.config.usage.hourlyDays * 24
  const filter = { side: 'holder', fromMs: oldest * hourMs, untilMs: thisHour * hourMs, ...commonOf(callers) } as const
  const counted = new Set(callers.map(identityOf))
  const hours = (await usage.store.hours(filter)).filter((hour) => counted.has(identityOf(hour)))
  const first = hours[0] === undefined ? thisHour : hours[0].startMs / hourMs
  const history = Array.from({ length: thisHour - first }, () => 0)
  for (const { startMs, counts } of hours)
    history[startMs / hourMs - first] = (history[startMs / hourMs - first] ?? 0) + counts.units
  return history
}

const identityOf = (facts: UsageFacts): string => usageDimensions.map((name) => facts[name]).join('\n')

/** What all callers of a quota have in common: fewer rows are read. */
function commonOf(callers: readonly UsageFacts[]): Partial<UsageFilter> {
  const [first] = callers
  const names = usageDimensions.filter((name) => callers.every((caller) => caller[name] === first?.[name]))
  return Object.fromEntries(names.map((name) => [name, first?.[name]]))
}

/** By what the rule counts, and who that is. */
function whoseOf({ rule, callers }: QuotaPlace): QuotaForecastFacts['whose'] {
  const [first] = callers
  const names = rule.by.flatMap((name) => (name === 'address' || name === 'subject' ? [] : [name]))
  return Object.fromEntries(names.map((name) => [name, first?.[name] ?? '']))
}
