/** SIGTERM under load: the node says that it is not ready, ends what it has begun, loses nothing, and exits with 0. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { NodeRecords, WatchedLog } from './kill-log.ts'
import { startLoad } from './kill-load.ts'
import { send } from './signed-call.ts'
import { startProcess } from './start-process.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

/** Slow writes, so that some run at any moment; counts what was executed, by name. */
function countExecutions({ upstream }: TestNetwork): Map<string, number> {
  const executions = new Map<string, number>()
  upstream.behave = (message, response) => {
    const { body } = upstream.seen.splice(0).at(-1) ?? { body: '' }
    const isWrite = message.method === 'POST'
    const item = isWrite ? { id: 3, ...(JSON.parse(body) as { name: string }) } : { id: 7, name: 'item 7' }
    if (isWrite) executions.set(item.name, (executions.get(item.name) ?? 0) + 1)
    const answer = () =>
      response.writeHead(isWrite ? 201 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(item))
    setTimeout(answer, isWrite ? 150 : 5)
  }
  return executions
}

/** Statuses of `/readyz` until nobody answers any more. */
async function watchReadiness({ holder }: TestNetwork): Promise<number[]> {
  const statuses: number[] = []
  const headers = [['host', new URL(holder.url).host]] as const
  for (;;) {
    const answer = await send(holder, { method: 'GET', target: '/readyz', headers, body: '' }).catch(() => undefined)
    if (answer === undefined) return statuses
    statuses.push(answer.status)
    await sleep(20)
  }
}

test('a node that is told to stop, twice, ends what it has begun and loses no call', async () => {
  await using network = await startTestNetwork()
  await network.agree()
  const executions = countExecutions(network)
  await network.holder.stop()
  await using holder = await startProcess(network.holder.configFile)
  const { ports } = network.recipient.running
  const load = startLoad({ localPort: () => ports.local, readers: 4, writers: 8, seed: 1 })
  await sleep(700)
  const readiness = watchReadiness(network)
  await sleep(50)
  const startedMs = performance.now()
  holder.signal('SIGTERM')
  await sleep(60)
  holder.signal('SIGTERM')
  const { code, signal, stderr } = await holder.ended
  const tookMs = performance.now() - startedMs
  const stopped = load.stop()
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' })
  assert.ok(tookMs < 5_000, `kept connections held it for ${tookMs} ms`)

  const statuses = await readiness
  assert.deepEqual([statuses[0], statuses.at(-1)], [200, 503])
  assert.deepEqual(statuses, statuses.toSorted(), 'not ready is the last word')

  const records = new NodeRecords(network.holder.directory)
  assert.deepEqual(records.intents('running'), [])
  assert.deepEqual(records.intents('unknown'), [])
  const done = new Set(records.intents('done').map(({ key }) => key))
  assert.ok(executions.size > 8)
  for (const [name, count] of executions) {
    assert.equal(count, 1)
    assert.ok(done.has(name), `the upstream did ${name}, of which there is no outcome`)
  }
  await stopped
  const answers = load.take()
  const served = new Set(answers.filter(({ status }) => status === 201).map(({ key }) => key))
  assert.deepEqual(
    [...executions.keys()].filter((name) => !served.has(name)),
    [],
    'every write that was done was answered',
  )
  for (const { receipt } of answers) {
    if (receipt === undefined) continue
    assert.ok(records.event(parseReceipt(receipt).claims.jti))
  }
  assert.ok((await new WatchedLog(network.holder.directory).assertWhole()) > 0)
})
