/** Programs that make one call and end renew their key too: as processes, at a real node. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { addClient, issueKey, keysOf, startKeyNetwork } from './key-network.ts'
import { testPurpose, type TestNetwork } from './test-network.ts'

const program = join(import.meta.dirname, 'one-call-program.ts')

describe('a program that makes one call and ends', () => {
  let network: TestNetwork
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comity-one-call-'))
    network = await startKeyNetwork({
      recipient(config) {
        const listen = config['listen'] as Record<string, object>
        listen['local'] = { ...listen['local'], authentication: 'keys' }
      },
    })
    await addClient(network.recipient, { id: 'job', kind: 'application', participant: undefined })
  })
  after(async () => {
    await network[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  const start = (file: string, end: 'by-itself' | 'exit' | 'later') => {
    const args = [program, network.recipient.local(''), testPurpose, file, end]
    return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  }

  async function ended(child: ReturnType<typeof start>): Promise<void> {
    const [code] = (await once(child, 'exit')) as [number | null]
    assert.equal(code, 0)
  }

  async function issued(name: string) {
    const key = await issueKey(network.recipient, {}, 'job')
    const file = join(folder, name)
    await writeFile(file, `${key.text}\n`)
    const { rotations } = await keysOf(network.recipient)
    const request = { successor: 'claim', retire: 'when-moved', quietSeconds: 1, overlapDays: 4 / 86_400 } as const
    const rotate = async () => (await rotations.rotate(key.id, request, 'operator')).rotation.id
    const hasMoved = async () => (await readFile(file, 'utf8')).endsWith(` old=${key.text}`)
    return { key, file, rotate, hasMoved }
  }

  for (const end of ['by-itself', 'exit'] as const) {
    test(`has renewed its key with its first run, where it ends ${end}; the rotation then completes`, async () => {
      const { file, rotate, hasMoved } = await issued(end)
      const id = await rotate()
      await ended(start(file, end))
      assert.ok(await hasMoved(), 'the first run fetched, kept and tried the next key')
      await ended(start(file, end))
      const keys = await keysOf(network.recipient)
      // The old key is quiet for as long as was asked, and its sunset has come.
      network.clock.offsetMs += 5_000
      await ended(start(file, end))
      await keys.tend()
      assert.equal((await keys.showRotation(id)).rotation.state, 'completed')
      await ended(start(file, end))
    })
  }

  test('renews a key that is rotated while it runs before it ends, if it closes its client', async () => {
    const { file, rotate, hasMoved } = await issued('later')
    const child = start(file, 'later')
    await once(child.stdout, 'data')
    await rotate()
    child.stdin.end('go\n')
    await ended(child)
    assert.ok(await hasMoved())
  })
})
