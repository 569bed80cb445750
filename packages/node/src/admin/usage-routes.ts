/** `/v1/usage`: how much is called. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { decodeBase64url, encodeBase64url } from '@comity/core/bytes/base64url'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import type { AdminParts } from './ports.ts'
import { defineRoute, type AdminRoute } from './route.ts'
import { limit, moment, shownAs, text } from './shapes.ts'
import { usageGroups, usageSchema, type UsageGroup, type UsageView } from './usage-api.ts'

type Refused = UsageView['refusedFor']

export interface UsageSums {
  /** A value for each of `by`; for times milliseconds. */
  readonly group: readonly (string | number)[]
  readonly counts: Pick<UsageView, 'calls' | 'failed' | 'units' | 'bytes' | 'upstreamMs' | 'upstreamMaxMs'> & {
    readonly refused: Refused
  }
}

export interface UsageAsked {
  readonly side: 'holder' | 'recipient'
  readonly by: readonly UsageGroup[]
  readonly fromMs: number
  readonly untilMs: number
  readonly participant?: string | undefined
  readonly client?: string | undefined
  readonly key?: string | undefined
  readonly product?: string | undefined
  readonly operation?: string | undefined
  readonly after?: readonly (string | number)[] | undefined
  readonly limit: number
}

export interface UsagePort {
  /** With what was counted until now. */
  sum(asked: UsageAsked): Promise<readonly UsageSums[]>
}

const hourMs = 3_600_000
const usualDays = 30
const maxGroups = 4

const groups = z
  .string()
  .max(100)
  .transform((list) => list.split(','))
  .pipe(z.array(z.enum(usageGroups)).min(1).max(maxGroups))
  .refine((names) => new Set(names).size === names.length, 'names the same thing twice')
  .register(shownAs, {
    schema: {
      type: 'string',
      pattern: `^(?:${usageGroups.join('|')})(?:,(?:${usageGroups.join('|')})){0,${maxGroups - 1}}$`,
      default: 'product',
    },
  })

const place = z.array(z.union([z.string(), z.number()])).max(maxGroups)
/** Names the last line of a page: what it was told apart by. */
const after = text(4_096).optional().meta({ description: 'Where the page before ended; `Link` gives it.' })

/** Routes of usage. */
export function usageRoutes(parts: Pick<AdminParts, 'usage' | 'partners' | 'apiKeys' | 'clock'>): AdminRoute[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/usage',
      tag: 'usage',
      summary: 'How much was called, as sums by what is asked for; never about whom',
      query: {
        by: groups.default(['product']).meta({ description: 'What sums are told apart by; several with commas.' }),
        side: z
          .enum(['holder', 'recipient'])
          .default('holder')
          .meta({ description: 'Calls to the products here, or of the applications here to partners.' }),
        from: moment.optional().meta({ description: '30 days ago unless told; the hour that it is in counts whole.' }),
        to: moment.optional().meta({ description: 'Before this; until now unless told.' }),
        participant: text(2_048).optional().meta({ description: 'Alias or DID.' }),
        client: text(200).optional(),
        key: text(2_048).optional(),
        product: text(200).optional(),
        operation: text(300).optional(),
        after,
        limit: limit(100),
      },
      result: z.array(usageSchema),
      paging: { by: 'after', keyOf: placeOf },
      problems: ['client-unknown'],
      async answer({ query }) {
        if (query.client !== undefined) await parts.apiKeys.requireEver(query.client)
        const asked = askedOf(query, parts)
        return (await parts.usage.sum(asked)).map((sum) => viewOf(asked.by, sum))
      },
    }),
  ]
}

interface Query extends Omit<UsageAsked, 'fromMs' | 'untilMs' | 'after'> {
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly after?: string | undefined
}

function askedOf(query: Query, { partners, clock }: Pick<AdminParts, 'partners' | 'clock'>): UsageAsked {
  const { from, to, after: last, participant, ...rest } = query
  const nowMs = clock.now()
  const fromMs = from === undefined ? nowMs - usualDays * 24 * hourMs : Date.parse(from)
  const untilMs = to === undefined ? nowMs + hourMs : Date.parse(to)
  if (fromMs >= untilMs) throw new Problem('malformed-request', '`from` is not before `to`')
  return {
    ...rest,
    participant: participant === undefined ? undefined : (partners.find(participant)?.did ?? participant),
    fromMs: Math.floor(fromMs / hourMs) * hourMs,
    untilMs,
    after: last === undefined ? undefined : parsePlace(last, rest.by),
  }
}

function parsePlace(name: string, by: readonly UsageGroup[]): readonly (string | number)[] {
  try {
    const found = place.parse(JSON.parse(new TextDecoder().decode(decodeBase64url(name))))
    const isRight = by.every((group, at) => typeof found[at] === (isTime(group) ? 'number' : 'string'))
    if (isRight && found.length === by.length) return found
  } catch {
    // Told below, with every other that is none.
  }
  throw new Problem('malformed-request', '`after` is not one that a page of this list gave')
}

const isTime = (group: UsageGroup): group is 'hour' | 'day' => group === 'hour' || group === 'day'

function viewOf(by: readonly UsageGroup[], { group, counts }: UsageSums): UsageView {
  const { refused, ...sums } = counts
  const named = by.map((name, at) => {
    const value = group[at] ?? ''
    return [name, isTime(name) ? formatDateTime(Number(value)) : String(value)]
  })
  const all = Object.values(refused).reduce((sum, count) => sum + count, 0)
  return { ...(Object.fromEntries(named) as Partial<UsageView>), ...sums, refused: all, refusedFor: refused }
}

/** In the order in which the members were asked for, which is theirs in the line. */
function placeOf(view: UsageView): string {
  const found = Object.entries(view).flatMap(([name, value]) => {
    if (!isGroup(name)) return []
    return [isTime(name) ? Date.parse(String(value)) : String(value)]
  })
  return encodeBase64url(new TextEncoder().encode(JSON.stringify(found)))
}

const isGroup = (name: string): name is UsageGroup => (usageGroups as readonly string[]).includes(name)
