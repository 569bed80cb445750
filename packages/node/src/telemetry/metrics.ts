/** What Prometheus reads of a node. Labels hold only names that the operator or this program chose, never text of a
 *  caller, so their number stays bounded. */
import Counter from 'prom-client/lib/counter.js'
import Gauge from 'prom-client/lib/gauge.js'
import Histogram from 'prom-client/lib/histogram.js'
import Registry from 'prom-client/lib/registry.js'
import { registerProcessMetrics } from './process-metrics.ts'

export interface ExchangeLabels {
  readonly direction: 'inbound' | 'outbound'
  /** A product of the configuration; undefined when none was matched. */
  readonly product: string | undefined
  readonly outcome: 'allowed' | 'denied' | 'failed'
}

export interface Metrics {
  /** One finished exchange. Takes less than a microsecond. */
  exchange(labels: ExchangeLabels, durationMs: number, upstreamMs: number | undefined): void
  /** One denial or failure, by the code of its problem. */
  denial(direction: 'inbound' | 'outbound', code: string): void
  /** One business event, by its name in `events.ts`. */
  event(name: string): void
  /** A value to be asked for at every scrape, e.g. `('log_entries', 'Entries of the audit log', () => log.size)`.
   *  The name gets the prefix `comity_`. */
  gauge(name: string, help: string, read: () => number): void
  /** The exposition text of now. */
  text(): Promise<string>
  readonly contentType: string
}

/** Seconds; from a local hit to the longest time-out. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** More label sets than this are counted as `other`: names of products and events are few. */
const maxSeries = 2_000

/** A registry of its own: several nodes may live in one process. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const meters = createMeters(registry)
  registerProcessMetrics(registry)
  return {
    exchange: ({ direction, product, outcome }, durationMs, upstreamMs) => {
      const name = product ?? 'none'
      meters.exchange(direction, name, outcome).observe(durationMs / 1_000)
      if (upstreamMs !== undefined) meters.upstream(name).observe(upstreamMs / 1_000)
    },
    denial: (direction, code) => meters.denial(direction, code).inc(),
    event: (name) => meters.event(name).inc(),
    gauge: (name, help, read) =>
      void new Gauge({
        name: `comity_${name}`,
        help,
        registers: [registry],
        collect() {
          this.set(read())
        },
      }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

function createMeters(registry: Registry) {
  const registers = [registry]
  const exchange = new Histogram({
    name: 'comity_exchange_duration_seconds',
    help: 'Exchanges from the first byte read to the answer handed over',
    labelNames: ['direction', 'product', 'outcome'],
    buckets: durationBuckets,
    registers,
  })
  const upstream = new Histogram({
    name: 'comity_upstream_duration_seconds',
    help: 'Time that the API behind the node, or the partner, took',
    labelNames: ['product'],
    buckets: durationBuckets,
    registers,
  })
  const denial = new Counter({
    name: 'comity_denials_total',
    help: 'Exchanges that were denied or failed, by problem code',
    labelNames: ['direction', 'code'],
    registers,
  })
  const event = new Counter({ name: 'comity_events_total', help: 'Business events', labelNames: ['event'], registers })
  return {
    exchange: cached((direction, product, outcome) => exchange.labels(direction, product, outcome)),
    upstream: cached((product) => upstream.labels(product)),
    denial: cached((direction, code) => denial.labels(direction, code)),
    event: cached((name) => event.labels(name)),
  }
}

/** Keeps the child of each set of labels: looking it up in the registry sorts and joins names every time. */
function cached<Child>(childOf: (...labels: [string, string, string]) => Child) {
  const children = new Map<string, Child>()
  return (first: string, second = '', third = ''): Child => {
    const key = `${first}\u0000${second}\u0000${third}`
    const known = children.get(key)
    if (known !== undefined) return known
    if (children.size >= maxSeries) return childOf('other', 'other', 'other')
    const child = childOf(first, second, third)
    children.set(key, child)
    return child
  }
}
