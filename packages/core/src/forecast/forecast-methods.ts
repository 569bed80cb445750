/** Simple ways to tell how many units the next hours bring, from those of the hours before. Pure; the last value of a
 *  history is of the hour right before the first that is told. */

const day = 24
const week = 168

/** The names of the methods, simplest first. */
export const forecastMethods = ['flat', 'seasonal', 'smoothing'] as const
export type ForecastMethod = (typeof forecastMethods)[number]

/** Tells the `hours` after a history. */
export type Forecaster = (history: readonly number[], hours: number) => number[]

/** A forecaster whose parameters are those that fit this history best. */
export function fitForecaster(method: ForecastMethod, history: readonly number[]): Forecaster {
  switch (method) {
    case 'flat':
      return flat
    case 'seasonal':
      return seasonal
    case 'smoothing':
      return fitSmoothing(history)
  }
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)
const at = (values: readonly number[], index: number): number => values[index] ?? 0

/** The mean of the last week, for every hour: what any other method has to beat. */
function flat(history: readonly number[], hours: number): number[] {
  const last = history.slice(-week)
  return Array.from({ length: hours }, () => sumOf(last) / Math.max(1, last.length))
}

/** How many weeks the usual value of an hour is the mean of. */
const profileWeeks = 4
/** How much of the day's difference from what is usual is left a day later. */
const damping = 0.7
const levelBounds = [0.2, 5] as const

/** Seasonal naive by the hour of the week, over the mean of up to four weeks, times the ratio of the last day to what is
 *  usual, which is damped from day to day. Of less than two weeks by the hour of the day. */
function seasonal(history: readonly number[], hours: number): number[] {
  const season = history.length < 2 * week ? day : week
  const usual = usualOf(history, season)
  const lastDay = Array.from({ length: day }, (_, hour) => usual(hour - day))
  const expected = sumOf(lastDay)
  const ratio = expected === 0 ? 1 : sumOf(history.slice(-day)) / expected
  const level = Math.min(levelBounds[1], Math.max(levelBounds[0], ratio))
  return Array.from({ length: hours }, (_, hour) => usual(hour) * (1 + (level - 1) * damping ** ((hour + 1) / day)))
}

/** The usual value of an hour, 0 being the first after the history. */
function usualOf(history: readonly number[], season: number): (hour: number) => number {
  const seasons = Math.min(profileWeeks, Math.floor(history.length / season))
  const start = history.length - seasons * season
  const profile = Array.from({ length: season }, (_, slot) => {
    let sum = 0
    for (let index = 0; index < seasons; index++) sum += at(history, start + index * season + slot)
    return sum / Math.max(1, seasons)
  })
  return (hour) => at(profile, ((hour % season) + season) % season)
}

interface Smoothing {
  readonly season: number
  /** Weights of what is new, in level and season. */
  readonly alpha: number
  readonly gamma: number
}

const alphas = [0.02, 0.1, 0.3]
const gammas = [0.05, 0.15, 0.4]

/** Additive Holt-Winters without a trend: a level and a season that follow what comes. The weights are those with the
 *  least squared error, one hour ahead, of a few. */
function fitSmoothing(history: readonly number[]): Forecaster {
  const season = history.length < 3 * week ? day : week
  const candidates = alphas.flatMap((alpha) => gammas.map((gamma) => ({ season, alpha, gamma })))
  let best: Smoothing | undefined
  let least = Infinity
  for (const candidate of candidates) {
    const { squaredError } = smooth(history, candidate)
    if (squaredError < least) [best, least] = [candidate, squaredError]
  }
  const chosen = best ?? { season, alpha: 0.1, gamma: 0.1 }
  return (given, hours) => {
    const { level, seasons } = smooth(given, chosen)
    return Array.from({ length: hours }, (_, hour) => Math.max(0, level + at(seasons, (given.length + hour) % season)))
  }
}

function smooth(history: readonly number[], { season, alpha, gamma }: Smoothing) {
  const first = history.slice(0, season)
  let level = sumOf(first) / Math.max(1, first.length)
  const seasons = Array.from({ length: season }, (_, slot) => at(first, slot) - level)
  let squaredError = 0
  for (let index = season; index < history.length; index++) {
    const [value, slot] = [at(history, index), index % season]
    const error = value - level - at(seasons, slot)
    squaredError += error * error
    level += alpha * error
    seasons[slot] = at(seasons, slot) + gamma * (1 - alpha) * error
  }
  return { level, seasons, squaredError }
}
