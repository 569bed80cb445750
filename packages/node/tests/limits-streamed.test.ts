/** Limits of answers that are on their way for long, and of calls about one person. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqlite } from '../src/storage/sqlite.ts'
import { join } from 'node:path'
import { call, codeOf, giveConsent, startPersonalNetwork, tokenFor } from './personal-network.ts'
import { athleteReference, otherReference } from './personal-upstream.ts'
import { send, signCall } from './signed-call.ts'
import { open, startStreamNetwork } from './stream-network.ts'

const rules = [
  { name: 'at-once', by: ['participant'], for: { products: ['samples'] }, concurrency: 1 },
  { name: 'daily', by: ['participant'], for: { products: ['samples'] }, quota: { units: 100, per: 'day' } },
]

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 6_000; turn++) {
    if (await isTrue()) return
    await sleep(10)
  }
  assert.fail('did not become true within a minute')
}

test('a streamed answer holds its slot until its end, whole or cut off, and its quota is used from its first byte', async () => {
  await using network = await startStreamNetwork({ limits: { streamIdleMs: 5_000 }, rules })
  const row = `${JSON.stringify({ id: 1, name: 'Kestrel' })}\n`
  let held: ServerResponse | undefined
  let isHeld = true
  network.upstream.behave = (_, response) => {
    response.setHeader('content-type', 'application/x-ndjson')
    response.write(row)
    if (isHeld) held = response
    else response.end()
  }
  const begin = async () => {
    isHeld = true
    const answer = await open(network, '/ndjson')
    isHeld = false
    return answer
  }
  // Straight to the holder: a recipient's node would try again for a while.
  const statusOf = async () => (await send(network.holder, signCall(network, { path: '/x/samples/ndjson' }))).status
  const used = async () => {
    await using database = await openSqlite(join(network.holder.directory, 'data', 'comity.db'))
    return Number((await database.get('SELECT SUM(used) AS used FROM limit_quotas'))?.['used'])
  }
  const first = await begin()
  assert.equal(await used(), 1)
  assert.equal(await statusOf(), 429)
  held?.end()
  assert.equal((await first.rest()).isWhole, true)
  await until(async () => (await statusOf()) === 200)
  const second = await begin()
  assert.equal(await statusOf(), 429)
  second.message.destroy()
  await until(async () => (await statusOf()) === 200)
})

test('a limit by subject counts calls about each person, and tells nothing of people who are not there', async () => {
  await using network = await startPersonalNetwork({}, (products) => products, [
    { name: 'about-one', by: ['subject'], quota: { units: 2, per: 'day' } },
  ])
  const authorization = await tokenFor(network, await giveConsent(network, {}))
  const seen: (string | number)[] = []
  for (let number = 0; number < 3; number++) {
    const answer = await call(network, { authorization })
    seen.push(answer.status === 200 ? 200 : codeOf(answer))
  }
  assert.deepEqual(seen, [200, 200, 'quota-exceeded'])
  const refused = await call(network, {})
  assert.doesNotMatch(refused.headers.get('ratelimit') ?? '', /about-one/)
  const other = await tokenFor(network, await giveConsent(network, { reference: otherReference }))
  assert.equal(
    (await call(network, { authorization: other, path: `/x/athletes/athletes/${otherReference}` })).status,
    200,
  )
  await using database = await openSqlite(join(network.holder.directory, 'data', 'comity.db'))
  const rows = await database.all('SELECT limit_key FROM limit_quotas')
  assert.equal(rows.length, 2)
  for (const row of rows) {
    assert.match(String(row['limit_key']), /^subject=[A-Za-z0-9_-]{43}$/)
    assert.ok(!String(row['limit_key']).includes(athleteReference))
  }
})
