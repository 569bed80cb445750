/** Counters and histograms for what happens with every exchange, in the registry of prom-client. Its own ones build
 *  a text of the labels and turn bucket bounds into property names on each count, which costs more than routing the
 *  call; these do their work when they are scraped. */
import type { Metric, Registry } from 'prom-client'

/** What every meter says of itself. Label values are given in the order of `labelNames`, at most three. */
export interface MeterOptions {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  readonly registry: Registry
}

type Labels = Readonly<Record<string, string>>

/** One line of a scrape. */
interface Sample {
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

/** More label sets than this are counted as `other`: names of products and events are few. */
const maxSeries = 2_000
const other = 'other'

/** One child for each set of label values, found without building a text of them. */
class Series<Child> {
  readonly children: Child[] = []
  readonly #labelNames: readonly string[]
  readonly #create: (labels: Labels) => Child
  readonly #known = new Map<string, Map<string, Map<string, Child>>>()

  constructor(labelNames: readonly string[], create: (labels: Labels) => Child) {
    this.#labelNames = labelNames
    this.#create = create
  }

  of(first: string, second = '', third = ''): Child {
    const known = this.#known.get(first)?.get(second)?.get(third)
    if (known !== undefined) return known
    const isFull = this.children.length >= maxSeries && first !== other
    return isFull ? this.of(other, other, other) : this.#add(first, second, third)
  }

  #add(first: string, second: string, third: string): Child {
    const values = [first, second, third]
    const labels = Object.fromEntries(this.#labelNames.map((name, at) => [name, values[at] ?? '']))
    const child = this.#create(labels)
    const ofFirst = this.#known.get(first) ?? new Map<string, Map<string, Child>>()
    const ofSecond = ofFirst.get(second) ?? new Map<string, Child>()
    this.#known.set(first, ofFirst.set(second, ofSecond.set(third, child)))
    this.children.push(child)
    return child
  }
}

/** Puts a meter into the registry, which reads nothing but these members of it. */
function register({ name, help, registry }: MeterOptions, type: string, values: () => Sample[]): void {
  const get = async () => ({ name, help, type, values: values(), aggregator: 'sum' })
  registry.registerMetric({ name, help, get } as unknown as Metric)
}

/** Counts by one, by label values. */
export function createCountMeter(options: MeterOptions): (first: string, second?: string) => void {
  const series = new Series(options.labelNames, (labels) => ({ labels, value: 0 }))
  register(options, 'counter', () => series.children.map(({ labels, value }) => ({ labels, value })))
  return (first, second) => {
    series.of(first, second).value++
  }
}

interface Durations {
  readonly labels: Labels
  /** How many fell into each bucket, not cumulative; the last is beyond all bounds. */
  readonly counts: number[]
  sum: number
}

/** A histogram of seconds over rising upper `bounds`, by label values. */
export function createDurationMeter(
  options: MeterOptions,
  bounds: readonly number[],
): (seconds: number, labels: readonly [string, string?, string?]) => void {
  const series = new Series<Durations>(options.labelNames, (labels) => {
    return { labels, counts: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0 }
  })
  register(options, 'histogram', () => series.children.flatMap((child) => exposed(options.name, bounds, child)))
  return (seconds, [first, second, third]) => {
    const child = series.of(first, second, third)
    let at = 0
    while (at < bounds.length && seconds > (bounds[at] as number)) at++
    child.counts[at] = (child.counts[at] as number) + 1
    child.sum += seconds
  }
}

/** A histogram as it is scraped: buckets count all that is not above their bound. */
function exposed(name: string, bounds: readonly number[], { labels, counts, sum }: Durations): Sample[] {
  const values: Sample[] = []
  let total = 0
  for (const [at, count] of counts.entries()) {
    total += count
    values.push({ metricName: `${name}_bucket`, labels: { le: bounds[at] ?? '+Inf', ...labels }, value: total })
  }
  values.push({ metricName: `${name}_sum`, labels, value: sum })
  values.push({ metricName: `${name}_count`, labels, value: total })
  return values
}
