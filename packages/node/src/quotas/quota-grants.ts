/** What was granted beyond a quota, in memory: asked for each call, so without waiting. */
import type { QuotaPer } from '@comity/core/limits/quota'
import type { QuotaRequest } from './quota-request.ts'

/** A quota of `limits.rules`. */
export interface RuleQuota {
  readonly name: string
  readonly units: number
  readonly per: QuotaPer
  /** What it counts by, in the order of its keys. */
  readonly by: readonly string[]
}

export class QuotaGrants {
  readonly #byLimit = new Map<string, QuotaRequest[]>()

  /** A grant counts from the next call on, as does what became of one that was withdrawn or shortened. */
  add(request: QuotaRequest): void {
    const known = this.#byLimit.get(request.limit) ?? []
    this.#byLimit.set(request.limit, [...known.filter(({ id }) => id !== request.id), request])
  }

  /** Units of a quota for one of its keys (`participant=did:… product=readings`): the rule's, or more. */
  unitsOf(rule: RuleQuota, key: string, nowMs: number): number {
    const grants = this.#byLimit.get(rule.name)
    if (grants === undefined) return rule.units
    const values = valuesOf(rule.by, key)
    let most = rule.units
    for (const { asker, product, per, decision } of grants) {
      const { state, units = 0, untilMs = 0 } = decision ?? {}
      if (state !== 'granted' || per !== rule.per || untilMs <= nowMs || units <= most) continue
      if (isAskers(asker, values) && isOfProduct(product, values)) most = units
    }
    return most
  }

  /** Forgets what is over. */
  prune(nowMs: number): void {
    for (const [limit, grants] of this.#byLimit) {
      const left = grants.filter(({ decision }) => (decision?.untilMs ?? 0) > nowMs)
      if (left.length === 0) this.#byLimit.delete(limit)
      else this.#byLimit.set(limit, left)
    }
  }
}

type Values = Readonly<Record<string, string>>

/** The parts of a key. A value may have spaces, but the next name stands behind the last of them. */
function valuesOf(by: readonly string[], key: string): Values {
  const values: Record<string, string> = {}
  let rest = key
  for (const [at, name] of by.entries()) {
    const next = by[at + 1]
    const end = next === undefined ? rest.length : rest.indexOf(` ${next}=`)
    values[name] = rest.slice(name.length + 1, end < 0 ? rest.length : end)
    rest = rest.slice((end < 0 ? rest.length : end) + 1)
  }
  return values
}

/** Who has no client or key of its own is counted as the participant it is. */
function isAskers({ participant, client, key }: QuotaRequest['asker'], values: Values): boolean {
  const isParticipant = (value: string) =>
    participant !== '' && (value === participant || value.startsWith(`${participant}#`))
  const isClient = (value: string) => client !== '' && (value === client || value === `client:${client}`)
  const mine = {
    participant: (value: string) => (participant === '' ? isClient(value) : isParticipant(value)),
    client: (value: string) => (client === '' ? isParticipant(value) : isClient(value)),
    key: (value: string) => (key === '' ? isParticipant(value) : value === key),
  }
  const asked = Object.entries(mine).filter(([name]) => values[name] !== undefined)
  return asked.length > 0 && asked.every(([name, is]) => is(values[name] ?? ''))
}

function isOfProduct(product: string, values: Values): boolean {
  if (product === '') return true
  return values['product'] === product || values['operation']?.startsWith(`${product}/`) === true
}
