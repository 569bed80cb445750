/** Policies that change while an answer is streamed: the set in force decides about what has not left yet. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { putPolicies } from './policy-network.ts'
import { eventsOf, newEvents, open, startStreamNetwork } from './stream-network.ts'
import type { TestNetwork } from './test-network.ts'

const permit = (annotations = '') => `@id("all") ${annotations} permit (principal, action, resource);`
const forbid = '@id("closed") @advice("not any more") forbid (principal, action, resource);'

let network: TestNetwork
/** Ends what the API writes. */
let finish: () => void

before(async () => {
  network = await startStreamNetwork()
})
after(() => network[Symbol.asyncDispose]())
beforeEach(() => {
  network.upstream.behave = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const timer = setInterval(() => response.write('{"id":1,"name":"Kestrel"}\n'), 20)
    finish = () => {
      clearInterval(timer)
      response.end()
    }
    response.once('close', finish)
  }
})

/** A stream that began under the policies; under none, where none were put before. */
async function begun(policies?: string) {
  if (policies !== undefined) await putPolicies(network.holder, policies)
  const earlier = await eventsOf(network.holder)
  const answer = await open(network, '/ndjson')
  await answer.next()
  return { answer, ends: () => newEvents(network.holder, earlier.length, 2) }
}

test('policies that are put over a stream which began without any cut it', async () => {
  const { answer, ends } = await begun()
  await putPolicies(network.holder, forbid)
  assert.equal((await answer.rest()).isWhole, false)
  const [intended, cut] = await ends()
  assert.equal(intended?.policies, undefined)
  assert.deepEqual([cut?.outcome, cut?.problem, cut?.policies], ['failed', 'policy-denied', ['closed']])
})

test('policies that are put while the clock is set back cut the stream all the same', async () => {
  const { answer } = await begun(permit())
  network.clock.offsetMs = -3_600_000
  await putPolicies(network.holder, forbid)
  const timer = setTimeout(() => finish(), 20_000)
  const rest = await answer.rest()
  clearTimeout(timer)
  network.clock.offsetMs = 0
  assert.equal(rest.isWhole, false)
  assert.ok(rest.text.split('\n').length < 300, 'rows left for a long time')
})

const cuts: Readonly<Record<string, [before: string, now: string, ids: readonly string[]]>> = {
  'forbid the call': [permit(), permit() + forbid, ['closed']],
  'leave a field less': [permit(), permit('@fields("id")'), ['all']],
  'change a value that left as it is': [permit(), permit('@transforms("name: mask 2")'), ['all']],
}

for (const [name, [first, now, ids]] of Object.entries(cuts)) {
  test(`policies that ${name} cut the stream, and the log says which`, async () => {
    const { answer, ends } = await begun(first)
    const { version } = await putPolicies(network.holder, now)
    const rest = await answer.rest()
    assert.deepEqual([rest.isWhole, rest.trailers], [false, {}])
    const [intended, cut] = await ends()
    assert.deepEqual([intended?.outcome, intended?.policies], ['intended', ['all']])
    assert.deepEqual([cut?.outcome, cut?.problem], ['failed', 'policy-denied'])
    assert.deepEqual([cut?.policies, cut?.policyVersion], [ids, version])
    assert.ok((cut?.streamed?.rows ?? 0) > 0)
  })
}

test('policies that leave what leaves, or more, let the stream come to its end as it began', async () => {
  const { answer, ends } = await begun(permit('@fields("id, name") @transforms("name: mask 2")'))
  await putPolicies(network.holder, '@id("wider") permit (principal, action, resource);')
  for (let rows = 0; rows < 60; rows += 1) await answer.next()
  finish()
  const rest = await answer.rest()
  assert.equal(rest.isWhole, true)
  assert.match(rest.text, /"name":"\*+el"/)
  assert.doesNotMatch(rest.text, /Kestrel/)
  const [, outcome] = await ends()
  assert.deepEqual([outcome?.outcome, outcome?.policies], ['allowed', ['all']])
})
