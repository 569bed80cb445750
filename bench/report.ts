/** The bench's results, for people and for programs. */

import { availableParallelism, cpus } from 'node:os'
import type { LogAppendRow } from './log-appends.ts'
import type { Summary } from './rounds.ts'

/** The object that `--json` prints for a system; `ratioToBareNode` is the ratio of CPU per request. */
export function summaryForPrograms(summary: Summary): Record<string, string | number> {
  return {
    name: summary.name,
    requestsPerSecond: Math.round(summary.requestsPerSecond),
    cpuMicrosPerRequest: rounded(summary.cpuMicrosPerRequest, 1),
    p50Ms: rounded(summary.p50Ms, 2),
    p99Ms: rounded(summary.p99Ms, 2),
    ratioToBareNode: rounded(summary.ratioToBareNode, 2),
  }
}

/** An aligned table: the first column to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('   ')
  return rows.map((row) => `  ${line(row)}\n`).join('')
}

export function systemsTable(summaries: readonly Summary[]): string {
  const head = ['system', 'req/s', 'CPU µs/req', 'p50 ms', 'p99 ms', 'CPU ratio', 'req/s ratio']
  const rows = summaries.map((summary) => [
    summary.name,
    Math.round(summary.requestsPerSecond).toLocaleString('en'),
    summary.cpuMicrosPerRequest.toFixed(0),
    summary.p50Ms.toFixed(1),
    summary.p99Ms.toFixed(1),
    `${summary.ratioToBareNode.toFixed(2)}×`,
    `${summary.throughputRatio.toFixed(2)}×`,
  ])
  return table([head, ...rows])
}

/** As `systemsTable`, with ratios to another unit. */
export function ratioTable(summaries: readonly Summary[], unit: string): string {
  const head = ['calls', 'CPU µs/req', 'p50 ms', 'p99 ms', `CPU, ${unit} = 1`]
  const rows = summaries.map(({ name, cpuMicrosPerRequest, p50Ms, p99Ms, ratioToBareNode }) => [
    name,
    cpuMicrosPerRequest.toFixed(0),
    p50Ms.toFixed(1),
    p99Ms.toFixed(1),
    `${ratioToBareNode.toFixed(2)}×`,
  ])
  return table([head, ...rows])
}

export function logAppendsTable(rows: readonly LogAppendRow[]): string {
  const head = ['appended at once', 'appends/s', 'CPU µs each', 'p50 ms', 'p99 ms']
  const lines = rows.map(({ batch, appendsPerSecond, cpuMicrosPerAppend, p50Ms, p99Ms }) => [
    batch.toLocaleString('en'),
    appendsPerSecond.toLocaleString('en'),
    cpuMicrosPerAppend.toFixed(1),
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
  ])
  return table([head, ...lines])
}

export function machineLine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  return `${availableParallelism()} cores (${model}), Node ${process.version}`
}

export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
