/** Meters of the process itself, under the names that dashboards for Prometheus and Node expect. Read at a scrape,
 *  nothing runs in between but the event loop's own histogram. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import Gauge from 'prom-client/lib/gauge.js'
import type Registry from 'prom-client/lib/registry.js'

const nanosecondsPerSecond = 1e9

/** Adds the meters to a registry. */
export function registerProcessMetrics(registry: Registry): void {
  const lag = monitorEventLoopDelay({ resolution: 20 })
  lag.enable()
  let lastUtilization = performance.eventLoopUtilization()
  const add = (name: string, help: string, read: () => number): void => {
    void new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  }
  add('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
  add('nodejs_heap_size_used_bytes', 'Heap in use', () => process.memoryUsage().heapUsed)
  add('nodejs_external_memory_bytes', 'Memory of buffers and native objects', () => process.memoryUsage().external)
  add('process_cpu_seconds', 'CPU time of user and system since the start', cpuSeconds)
  add('process_uptime_seconds', 'Time since the process started', () => process.uptime())
  add('nodejs_eventloop_lag_p99_seconds', 'Event loop delay since the last scrape', () => lagSeconds(lag))
  add('nodejs_eventloop_utilization', 'Share of time that the event loop was busy since the last scrape', () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, lastUtilization)
    lastUtilization = now
    return utilization
  })
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function lagSeconds(histogram: ReturnType<typeof monitorEventLoopDelay>): number {
  const delay = histogram.count === 0 ? 0 : histogram.percentile(99) / nanosecondsPerSecond
  histogram.reset()
  return delay
}
