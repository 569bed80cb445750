/** What Prometheus reads of a node. Labels hold only names that the operator or this program chose, and those of products
 *  with which partners answered; never text of a caller, so their number stays bounded. */
import Gauge from 'prom-client/lib/gauge.js'
import Registry from 'prom-client/lib/registry.js'
import { createCountMeter, createDurationMeter } from './meters.ts'
import { registerProcessMetrics } from './process-metrics.ts'

export interface ExchangeLabels {
  readonly direction: 'inbound' | 'outbound'
  /** Inbound a product of the configuration, undefined when none was matched; outbound the one that was asked for. */
  readonly product: string | undefined
  readonly outcome: 'allowed' | 'denied' | 'failed'
}

export interface Metrics {
  /** One finished exchange. Takes less than a microsecond. */
  exchange(labels: ExchangeLabels, durationMs: number, upstreamMs: number | undefined): void
  /** One denial or failure, by the code of its problem; of the admin API those that did not show the token. */
  denial(direction: 'inbound' | 'outbound' | 'admin', code: string): void
  /** A limit that refused a call, by its name in the configuration. */
  limitRefusal(limit: string): void
  /** One business event, by its name in `events.ts`. */
  event(name: string): void
  /** A value of `gauges` to be asked for at every scrape, e.g. `('log_entries', () => log.size)`. */
  gauge(name: keyof typeof gauges, read: () => number | Promise<number>): void
  /** The exposition text of now. */
  text(): Promise<string>
  readonly contentType: string
}

/** Every gauge of the node and what it tells; the names get the prefix `comity_`. */
export const gauges = {
  log_entries: 'Entries under the published checkpoint',
  nonces: 'Nonces that are remembered against replays',
  api_keys: 'API keys that have not ended',
  key_rotations: 'Rotations of API keys that are under way',
  limit_keys: 'Keys of rate limits and quotas that are remembered',
  limit_store_up: '1 while the server that replicas share their limits on answers, else 0',
  duties_overdue: 'Duties about people that are open after their time, on either side',
  policy_version: 'Version of the set of policies in force; 0 without one',
  policy_decisions_remembered: 'Decisions of policies in memory',
  policy_decisions_reused: 'Calls decided from memory since the start',
  policy_decisions_made: 'Calls decided by evaluating policies since the start',
  rights_requests_overdue: 'Requests of people about their data that are open after their time',
}

/** Seconds; from a local hit to the longest time-out. */
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** An application may ask for any name; it becomes a label once a partner has answered for it. */
function productLabels(): (labels: ExchangeLabels) => string {
  const answered = new Set<string>()
  return ({ direction, product = 'none', outcome }) => {
    if (direction === 'inbound') return product
    if (outcome === 'allowed') answered.add(product)
    return answered.has(product) ? product : 'none'
  }
}

/** A registry of its own: several nodes may live in one process. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const meters = createMeters(registry)
  const labelOf = productLabels()
  registerProcessMetrics(registry)
  return {
    exchange: (labels, durationMs, upstreamMs) => {
      const name = labelOf(labels)
      meters.exchange(durationMs / 1_000, [labels.direction, name, labels.outcome])
      if (upstreamMs !== undefined) meters.upstream(upstreamMs / 1_000, [name])
    },
    denial: meters.denial,
    limitRefusal: meters.limitRefusal,
    event: meters.event,
    gauge: (name, read) =>
      void new Gauge({
        name: `comity_${name}`,
        help: gauges[name],
        registers: [registry],
        async collect() {
          this.set(await read())
        },
      }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

function createMeters(registry: Registry) {
  const exchange = {
    name: 'comity_exchange_duration_seconds',
    help: 'Exchanges from the first byte read to the answer handed over',
    labelNames: ['direction', 'product', 'outcome'],
    registry,
  }
  const upstream = {
    name: 'comity_upstream_duration_seconds',
    help: 'Time that the API behind the node, or the partner, took',
    labelNames: ['product'],
    registry,
  }
  const denial = {
    name: 'comity_denials_total',
    help: 'Exchanges that were denied or failed, by problem code',
    labelNames: ['direction', 'code'],
    registry,
  }
  const refusal = {
    name: 'comity_limit_refusals_total',
    help: 'Calls that a rate limit, quota or concurrency limit refused, by its name',
    labelNames: ['limit'],
    registry,
  }
  const event = { name: 'comity_events_total', help: 'Business events', labelNames: ['event'], registry }
  return {
    exchange: createDurationMeter(exchange, durationBuckets),
    upstream: createDurationMeter(upstream, durationBuckets),
    denial: createCountMeter(denial),
    limitRefusal: createCountMeter(refusal),
    event: createCountMeter(event),
  }
}
