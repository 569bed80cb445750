/** Tells the units of the coming hours, by the method that did best on a part of the history that it had not seen, and
 *  how wrong that method was on the last fifth, which neither it nor the choice had seen. Pure. */
import { fitForecaster, forecastMethods, type ForecastMethod, type Forecaster } from './forecast-methods.ts'

/** Fewer hours than these (two weeks) tell too little. */
export const leastHistoryHours = 14 * 24
/** Share of outcomes that an interval is meant to hold. */
export const intervalShare = 0.8
/** Of the history: the methods are fitted to what is before, chosen between the two, judged by what is after. */
const [fittedShare, chosenShare] = [0.6, 0.8]
/** Hours between two forecasts of the past; prime, so that they begin at every hour of the day. */
const originStep = 7

/** How wrong forecasts of the held-out part were. Each began `originStep` hours after the one before, knew all that came
 *  before it, and told `horizonHours`. */
export interface ForecastError {
  readonly heldOutHours: number
  readonly horizonHours: number
  readonly forecasts: number
  /** Sum of all absolute errors of hours, over the sum of all that came (WAPE). Undefined when nothing came. */
  readonly hourly: number | undefined
  /** The same of the sums over the horizon: what a quota is about. */
  readonly ofSums: number | undefined
  /** `ofSums` of the mean of the last week, which any method has to beat. */
  readonly ofSumsFlat: number | undefined
  /** Share of the running sums that were within the interval of `intervalShare`. */
  readonly coverage: number
}

export interface Forecast {
  readonly method: ForecastMethod
  readonly error: ForecastError
  /** Units expected until the end of each hour, in sum; with the bounds of the interval. */
  readonly sums: readonly ExpectedSum[]
}

/** At least `low` and at most `high` in `intervalShare` of cases. */
export interface ExpectedSum {
  readonly expected: number
  readonly low: number
  readonly high: number
}

/** Forecasts the `hours` after a history of hourly units, oldest first. Undefined when there is too little of it. */
export function forecastHours(history: readonly number[], hours: number): Forecast | undefined {
  if (history.length < leastHistoryHours) return undefined
  const [fitted, chosen] = [fittedShare, chosenShare].map((share) => Math.floor(history.length * share)) as [
    number,
    number,
  ]
  const horizon = Math.max(1, Math.min(hours, Math.floor((history.length - chosen) / 2)))
  const before = history.slice(0, chosen)
  const trials = forecastMethods.map((method) => {
    const forecaster = fitForecaster(method, history.slice(0, fitted))
    return { method, past: pastForecasts(before, { forecaster, fromHour: fitted, horizon }) }
  })
  const [best] = trials.toSorted((a, b) => ofRunningSums(a.past) - ofRunningSums(b.past))
  const { method, past } = best as (typeof trials)[number]
  const held = { fromHour: chosen, horizon }
  const judged = pastForecasts(history, { ...held, forecaster: fitForecaster(method, before) })
  const naive = pastForecasts(history, { ...held, forecaster: fitForecaster('flat', before) })
  const error = {
    heldOutHours: history.length - chosen,
    horizonHours: horizon,
    forecasts: judged.length,
    hourly: weightedError(judged, ({ actual, told }) => actual.map((value, hour) => [value, told[hour] ?? 0])),
    ofSums: ofSums(judged),
    ofSumsFlat: ofSums(naive),
    coverage: coverageOf(judged, boundsOf(past)),
  }
  const told = fitForecaster(method, history)(history, hours)
  return { method, error, sums: expectedSums(told, boundsOf([...past, ...judged])) }
}

/** What was told at some hour of the past, and what came. */
export interface PastForecast {
  readonly told: readonly number[]
  readonly actual: readonly number[]
}

/** Forecasts that begin within a history, from an hour on, as far as what came is known for the whole horizon. */
export function pastForecasts(
  history: readonly number[],
  { forecaster, fromHour, horizon }: { forecaster: Forecaster; fromHour: number; horizon: number },
): PastForecast[] {
  const made: PastForecast[] = []
  for (let origin = fromHour; origin + horizon <= history.length; origin += originStep) {
    made.push({
      told: forecaster(history.slice(0, origin), horizon),
      actual: history.slice(origin, origin + horizon),
    })
  }
  return made
}

type Pairs = (past: PastForecast) => readonly (readonly [actual: number, told: number])[]

function weightedError(past: readonly PastForecast[], pairsOf: Pairs): number | undefined {
  let [wrong, all] = [0, 0]
  for (const [actual, told] of past.flatMap(pairsOf)) {
    wrong += Math.abs(actual - told)
    all += Math.abs(actual)
  }
  return all === 0 ? undefined : wrong / all
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)
const ofSums = (past: readonly PastForecast[]) =>
  weightedError(past, ({ actual, told }) => [[sumOf(actual), sumOf(told)]])

function runningSums(values: readonly number[]): number[] {
  let sum = 0
  return values.map((value) => (sum += value))
}

/** Of the sums after each hour, by which a method is chosen: when a limit is reached depends on all of them. */
const ofRunningSums = (past: readonly PastForecast[]) =>
  weightedError(past, ({ actual, told }) => {
    const expected = runningSums(told)
    return runningSums(actual).map((sum, hour) => [sum, expected[hour] ?? 0])
  }) ?? 0

/** What is added to the expected running sum after each hour: at the ends of the interval. */
interface Bounds {
  readonly low: readonly number[]
  readonly high: readonly number[]
}

/** Split conformal prediction: the bounds are those that past errors stayed within, with the correction for their
 *  number. */
function boundsOf(past: readonly PastForecast[]): Bounds {
  const misses = past.map(({ told, actual }) => {
    const expected = runningSums(told)
    return runningSums(actual).map((sum, hour) => sum - (expected[hour] ?? 0))
  })
  const hours = misses[0]?.length ?? 0
  const side = (1 - intervalShare) / 2
  const atHour = (hour: number) => misses.map((miss) => miss[hour] ?? 0).toSorted((a, b) => a - b)
  const rank = Math.min(misses.length, Math.ceil((misses.length + 1) * (1 - side)))
  const low: number[] = []
  const high: number[] = []
  for (let hour = 0; hour < hours; hour++) {
    const sorted = atHour(hour)
    high.push(sorted[rank - 1] ?? 0)
    low.push(sorted[misses.length - rank] ?? 0)
  }
  return { low, high }
}

/** Beyond the hours that past forecasts told, a bound grows as these hours do. */
function boundAt(bounds: readonly number[], hour: number): number {
  const last = bounds.length - 1
  return hour <= last ? (bounds[hour] ?? 0) : ((bounds[last] ?? 0) * (hour + 1)) / (last + 1)
}

function expectedSums(told: readonly number[], { low, high }: Bounds): ExpectedSum[] {
  let [least, most] = [0, 0]
  return runningSums(told).map((expected, hour) => {
    // What is used is never given back.
    least = Math.max(least, expected + boundAt(low, hour))
    most = Math.max(most, expected + boundAt(high, hour))
    return { expected, low: Math.min(least, expected), high: Math.max(most, expected) }
  })
}

function coverageOf(past: readonly PastForecast[], { low, high }: Bounds): number {
  let [within, all] = [0, 0]
  for (const { told, actual } of past) {
    const sums = expectedSums(told, { low, high })
    for (const [hour, sum] of runningSums(actual).entries()) {
      const { low: least, high: most } = sums[hour] as ExpectedSum
      if (sum >= least && sum <= most) within++
      all++
    }
  }
  return all === 0 ? 0 : within / all
}
