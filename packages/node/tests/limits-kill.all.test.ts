/** A node that is killed again and again gives no quota back: what was answered is used. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { send, signCall } from './signed-call.ts'
import { startProcess } from './start-process.ts'
import { startTestNetwork } from './test-network.ts'

const units = 150

test('over any number of kills no more is answered than the quota has', async () => {
  await using network = await startTestNetwork({
    holder: (config) => {
      const rules = [
        { name: 'daily', by: ['participant'], for: { products: ['items'] }, quota: { units, per: 'month' } },
      ]
      config['limits'] = { ...(config['limits'] as object), rules }
    },
  })
  await network.agree()
  await network.holder.stop()
  let [answered, refused] = [0, 0]
  const load = async (isOver: () => boolean) => {
    while (!isOver()) {
      const answer = await send(network.holder, signCall(network)).catch(() => undefined)
      if (answer?.status === 200) answered++
      else if (answer?.status === 429) refused++
      else await sleep(20)
    }
  }
  for (let round = 0; round < 5; round++) {
    const running = await startProcess(network.holder.configFile)
    let isOver = false
    const callers = Array.from({ length: 8 }, () => load(() => isOver))
    await sleep(150 + 100 * round)
    await running.kill()
    isOver = true
    await Promise.all(callers)
  }
  const last = await startProcess(network.holder.configFile)
  for (let more = 0; more < units + 20; more++) {
    const { status } = await send(network.holder, signCall(network))
    if (status === 200) answered++
    else refused++
  }
  await last.kill()
  // A call that was charged and killed before its answer left is used, too.
  assert.ok(answered <= units && answered >= units - 8 * 5, `${answered}`)
  assert.ok(refused >= 20, `${refused}`)
  await network.holder.start()
})
