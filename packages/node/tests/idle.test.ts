/** What a node keeps when nobody calls it. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { installedCommand, startProcess } from './start-process.ts'
import { startTestNetwork } from './test-network.ts'

async function memoryKib(pid: number): Promise<{ readonly now: number; readonly most: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1])
  return { now: field('VmRSS'), most: field('VmHWM') }
}

test(
  'a node gives back what its start took, and is idle with less than 120 MB',
  { timeout: 60_000 },
  async (context) => {
    await using network = await startTestNetwork()
    await network.recipient.stop()
    // Once to fill the compile cache, once to be looked at.
    const first = await startProcess(network.recipient.configFile, { command: installedCommand() })
    first.signal('SIGTERM')
    await first.ended
    await using node = await startProcess(network.recipient.configFile, { command: installedCommand() })
    let memory = await memoryKib(node.pid)
    while (memory.most - memory.now < 8 * 1024) {
      await sleep(200)
      memory = await memoryKib(node.pid)
    }
    context.diagnostic(`${memory.now} KiB of at most ${memory.most} KiB`)
    assert.ok(memory.now * 1024 < 120_000_000)
  },
)
