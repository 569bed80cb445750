/** SIGTERM under load: the node says that it is not ready, ends what it has begun, loses nothing, and exits with 0. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { NodeRecords, WatchedLog } from './kill-log.ts'
import { startLoad } from './kill-load.ts'
import { startProcess } from './start-process.ts'
import { startTestNetwork, type TestNetwork } from './test-network.ts'

interface SlowApi {
  /** How often each write was executed, by name. */
  readonly executions: Map<string, number>
  /** Holds what is asked from now on, until it is let go. */
  hold(): { readonly held: Promise<void>; readonly letGo: () => void }
}

function slowApi({ upstream }: TestNetwork): SlowApi {
  const executions = new Map<string, number>()
  let gate = Promise.resolve()
  let reached: (() => void) | undefined
  upstream.behave = async (message, response) => {
    const { body } = upstream.seen.splice(0).at(-1) ?? { body: '' }
    const isWrite = message.method === 'POST'
    const item = isWrite ? { id: 3, ...(JSON.parse(body) as { name: string }) } : { id: 7, name: 'item 7' }
    if (isWrite) executions.set(item.name, (executions.get(item.name) ?? 0) + 1)
    if (isWrite) reached?.()
    await Promise.all([gate, sleep(isWrite ? 50 : 5)])
    response.writeHead(isWrite ? 201 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(item))
  }
  return {
    executions,
    hold() {
      const [held, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      reached = held.resolve
      gate = go.promise
      return { held: held.promise, letGo: go.resolve }
    },
  }
}

test('a node that is told to stop, twice, ends what it has begun and loses no call', async () => {
  // A connection that is kept and holds up the end does so for as long as a drain may take.
  const drainMs = 60_000
  await using network = await startTestNetwork({
    holder: (config) => Object.assign(config['limits'] as object, { drainMs }),
  })
  await network.agree()
  const { executions, hold } = slowApi(network)
  await network.holder.stop()
  await using holder = await startProcess(network.holder.configFile)
  const readiness = async () => (await fetch(`http://127.0.0.1:${holder.ports.admin}/readyz`)).status
  const { ports } = network.recipient.running
  const load = startLoad({ localPort: () => ports.local, readers: 4, writers: 8, seed: 1 })
  while (executions.size <= 8) await sleep(20)
  assert.equal(await readiness(), 200)
  // With a call under way the node cannot end, and its operator's listener is the last that does.
  const { held, letGo } = hold()
  await held
  holder.signal('SIGTERM')
  while ((await readiness()) !== 503) await sleep(20)
  holder.signal('SIGTERM')
  const startedMs = performance.now()
  letGo()
  const { code, signal, stderr } = await holder.ended
  const tookMs = performance.now() - startedMs
  const stopped = load.stop()
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' })
  assert.ok(tookMs < drainMs / 2, `kept connections held it for ${tookMs} ms`)

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
