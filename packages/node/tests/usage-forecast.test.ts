/** Forecasts of quotas, from what was counted of calls. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forecastHours } from '@comity/core/forecast/forecast'
import type { QuotaForecastView } from '../src/admin/usage-api.ts'
import type { UsageHour } from '../src/usage/usage-store.ts'
import { adminOf } from './admin-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

const hourMs = 3_600_000
const weeks = 5

async function startWithQuotas(): Promise<TestNetwork> {
  const network = await startTestNetwork({
    holder: (config) => {
      const rules = [
        { name: 'daily', by: ['participant'], quota: { units: 300, per: 'day' } },
        { name: 'roomy', by: ['participant', 'product'], quota: { units: 1_000_000, per: 'day' } },
        { name: 'by-person', by: ['subject'], quota: { units: 10, per: 'day' } },
      ]
      config['limits'] = { ...(config['limits'] as object), rules }
    },
  })
  // Noon, so that half of the day is still to come.
  const { clock } = network
  const intoDay = clock.now() % (24 * hourMs)
  clock.offsetMs += 36 * hourMs - intoDay
  await network.agree()
  return network
}

async function forecastsOf({ holder }: TestNetwork): Promise<QuotaForecastView[]> {
  const { status, json } = await (await adminOf(holder)).call({ path: '/v1/usage/forecast' })
  assert.equal(status, 200, JSON.stringify(json))
  return json as QuotaForecastView[]
}

async function callItems({ recipient }: TestNetwork): Promise<void> {
  const answer = await fetch(recipient.local('/holder/items/items'), { headers: { 'comity-purpose': testPurpose } })
  await answer.arrayBuffer()
  assert.equal(answer.status, 200)
}

/** More by day than by night. */
const unitsAt = (hour: number): number => (hour % 24 < 8 ? 1 : 20 + (hour % 7))

/** As if the recipient had called for weeks. */
async function addHistory({ holder, clock }: TestNetwork): Promise<number[]> {
  const { usage } = holder.running.parts
  await usage.flush()
  const untilMs = Math.floor(clock.now() / hourMs) * hourMs
  const fromMs = untilMs - weeks * 168 * hourMs
  const [caller] = await usage.store.callers({ side: 'holder', fromMs: 0, untilMs: clock.now() + hourMs })
  assert.ok(caller !== undefined)
  const refused = { identity: 0, limit: 0, agreement: 0, consent: 0, policy: 0, request: 0 }
  const hours: UsageHour[] = []
  for (let startMs = fromMs; startMs < untilMs; startMs += hourMs) {
    const units = unitsAt(startMs / hourMs)
    const counts = { calls: units, failed: 0, refused, units, bytes: 0, upstreamMs: 0, upstreamMaxMs: 0 }
    hours.push({ ...caller, startMs, counts })
  }
  await usage.store.add(hours)
  return hours.map(({ counts }) => counts.units)
}

test('with little history it is said that there is too little, and nothing is made up', async () => {
  await using network = await startWithQuotas()
  await callItems(network)
  const [daily] = await forecastsOf(network)
  assert.deepEqual(
    [daily?.limit, daily?.used, daily?.units, daily?.forecast, daily?.leastHistoryHours],
    ['daily', 1, 300, undefined, 336],
  )
})

test('each quota that a caller has is forecast by its history, with the error on what was held out', async () => {
  await using network = await startWithQuotas()
  await callItems(network)
  const history = await addHistory(network)
  const [daily, roomy, ...others] = await forecastsOf(network)
  assert.deepEqual(others, [])
  assert.deepEqual(daily?.whose, { participant: network.recipient.did })
  assert.deepEqual(roomy?.whose, { participant: network.recipient.did, product: 'items' })
  const hours = 24 - new Date(network.clock.now()).getUTCHours()
  const own = forecastHours(history, hours)
  assert.deepEqual(daily?.forecast?.error, JSON.parse(JSON.stringify(own?.error)))
  assert.equal(daily?.forecast?.method, own?.method)
  // Of today's twelve hours to come, about 23 in each: nowhere near a million, nor 300.
  assert.ok((roomy?.forecast?.expected ?? 0) > 200 && (roomy?.forecast?.expected ?? 0) < 350)
  assert.equal(roomy?.forecast?.hit, undefined)
})

test('a quota that will not last says when it ends', async () => {
  await using network = await startWithQuotas()
  await callItems(network)
  await addHistory(network)
  const { limiter, rules } = network.holder.running.parts.limits.calls.parts
  const [rule] = rules
  assert.ok(rule !== undefined)
  await limiter.charge(
    [{ limit: rule.limit, key: `participant=${network.recipient.did}`, cost: 199 }],
    network.clock.now(),
  )
  const [daily] = await forecastsOf(network)
  assert.equal(daily?.used, 200)
  const inHours = (Date.parse(daily?.forecast?.hit ?? '') - network.clock.now()) / hourMs
  assert.ok(inHours > 3 && inHours < 6, `in ${inHours} hours`)
  assert.ok(Date.parse(daily?.forecast?.earliest ?? '') <= Date.parse(daily?.forecast?.hit ?? ''))
})
