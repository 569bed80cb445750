import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { fitForecaster, type ForecastMethod } from './forecast-methods.ts'
import { forecastHours, leastHistoryHours } from './forecast.ts'

/** A week with a night, a noon and a weekend; seeded noise, so that the test is the same each time. */
function seasonalHours(hours: number, noise = 0.2): number[] {
  let seed = 42
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
  return Array.from({ length: hours }, (_, hour) => {
    const isWeekend = Math.floor(hour / 24) % 7 >= 5
    const usual = (isWeekend ? 10 : 60) * (1 + Math.sin(((hour % 24) - 6) * (Math.PI / 12)))
    return Math.round(usual * (1 + noise * (2 * random() - 1)))
  })
}

/** Departures of 20,000 flights in the first quarter of 2001, by the hour. */
function flights(): number[] {
  const file = new URL('../../../../node_modules/vega-datasets/data/flights-20k.json', import.meta.url)
  const rows = JSON.parse(readFileSync(file, 'utf8')) as { readonly date: string }[]
  const hourOf = (text: string) =>
    Math.floor(Date.parse(`${text.replaceAll('/', '-').replace(' ', 'T')}:00Z`) / 3_600_000)
  const hours = rows.map(({ date }) => hourOf(date))
  const first = Math.min(...hours)
  const counts = Array.from({ length: Math.max(...hours) - first + 1 }, () => 0)
  for (const hour of hours) counts[hour - first] = (counts[hour - first] ?? 0) + 1
  return counts
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

/** The reported errors once more, in other words: from the methods alone. */
function recomputed(history: readonly number[], hours: number, method: ForecastMethod) {
  const end = history.length
  const start = Math.floor(end * 0.8)
  const horizon = Math.min(hours, Math.floor((end - start) / 2))
  const tell = fitForecaster(method, history.slice(0, start))
  let [hourlyWrong, sumsWrong, came, forecasts] = [0, 0, 0, 0]
  for (let from = start; from <= end - horizon; from += 7) {
    const told = tell(history.slice(0, from), horizon)
    for (let hour = 0; hour < horizon; hour++) hourlyWrong += Math.abs((history[from + hour] ?? 0) - (told[hour] ?? 0))
    sumsWrong += Math.abs(sum(history.slice(from, from + horizon)) - sum(told))
    came += sum(history.slice(from, from + horizon))
    forecasts++
  }
  return { hourly: hourlyWrong / came, ofSums: sumsWrong / came, forecasts, heldOutHours: end - start }
}

const series = { 'made-up seasons': seasonalHours(8 * 168), 'flights of 2001': flights() }

for (const [name, history] of Object.entries(series)) {
  for (const hours of [24, 168]) {
    test(`${name}, ${hours} hours: the reported error is the error on what was held out`, () => {
      const { method, error } = forecastHours(history, hours) ?? assert.fail('too little history')
      const own = recomputed(history, hours, method)
      assert.ok(Math.abs((error.hourly ?? 0) - own.hourly) < 1e-9)
      assert.ok(Math.abs((error.ofSums ?? 0) - own.ofSums) < 1e-9)
      assert.deepEqual([error.forecasts, error.heldOutHours], [own.forecasts, own.heldOutHours])
      const naive = recomputed(history, hours, 'flat')
      assert.ok(Math.abs((error.ofSumsFlat ?? 0) - naive.ofSums) < 1e-9)
      assert.ok(error.coverage >= 0.6 && error.coverage <= 1, `coverage ${error.coverage}`)
    })
  }

  test(`${name}: a method that knows seasons is chosen, and beats the mean of the last week hour by hour`, () => {
    const { method, error } = forecastHours(history, 24) ?? assert.fail('too little history')
    assert.notEqual(method, 'flat')
    assert.ok((error.hourly ?? 1) < 0.6 * recomputed(history, 24, 'flat').hourly, `${method} ${error.hourly}`)
  })
}

test('the seasons that were put in are told, and sums to come are within their bounds', () => {
  const whole = seasonalHours(9 * 168)
  const history = whole.slice(0, 8 * 168)
  const { sums, error } = forecastHours(history, 168) ?? assert.fail('too little history')
  let came = 0
  for (const [hour, { expected, low, high }] of sums.entries()) {
    came += whole[history.length + hour] ?? 0
    assert.ok(low <= expected && expected <= high)
  }
  const last = sums.at(-1)
  assert.ok(Math.abs(came - (last?.expected ?? 0)) / came < 0.05)
  assert.ok((error.ofSums ?? 1) < 0.05)
})

test('less than two weeks tell nothing', () => {
  assert.equal(forecastHours(seasonalHours(leastHistoryHours - 1), 24), undefined)
  assert.notEqual(forecastHours(seasonalHours(leastHistoryHours), 24), undefined)
})

test('whatever came, sums never fall and no number is made up', () => {
  const histories = fc.array(fc.integer({ min: 0, max: 1_000_000 }), {
    minLength: leastHistoryHours,
    maxLength: leastHistoryHours + 100,
    size: 'max',
  })
  fc.assert(
    fc.property(histories, fc.integer({ min: 1, max: 744 }), (history, hours) => {
      const { sums } = forecastHours(history, hours) ?? assert.fail('too little history')
      assert.equal(sums.length, hours)
      let before = { expected: 0, low: 0, high: 0 }
      for (const now of sums) {
        assert.ok([now.expected, now.low, now.high].every((value) => Number.isFinite(value)))
        assert.ok(now.expected >= before.expected && now.high >= before.high && now.low <= now.high)
        before = now
      }
    }),
    { numRuns: 20 },
  )
})

test('of a client that never called nothing is expected, and no error is claimed', () => {
  const { sums, error } =
    forecastHours(
      Array.from({ length: 400 }, () => 0),
      24,
    ) ?? assert.fail('too little history')
  assert.deepEqual([sums.at(-1)?.expected, error.hourly, error.ofSums], [0, undefined, undefined])
})
