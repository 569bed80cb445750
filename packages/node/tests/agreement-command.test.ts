/** `comity agreements` and `comity doctor` where a second agreement covers the calls of the first. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runQuietly } from '../../cli/src/test-terminal.ts'
import { freePort } from './free-port.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

describe('the command and agreements', () => {
  let network: TestNetwork
  before(async () => {
    const ports = [await freePort(), await freePort()] as const
    const admin = (port: number) => (config: Record<string, unknown>) =>
      void ((config['listen'] as Record<string, unknown>)['admin'] = { port })
    network = await startTestNetwork({ holder: admin(ports[0]), recipient: admin(ports[1]) })
  })
  after(() => network[Symbol.asyncDispose]())

  async function run(who: 'holder' | 'recipient', ...args: string[]) {
    const told = await runQuietly('-c', network[who].configFile, ...args)
    assert.equal(told.code, 0, told.error)
    return told
  }

  test('warn of two that cover the same calls when the second is signed and imported, and as long as both stand', async () => {
    const first = await network.agree()
    const file = join(network.holder.directory, 'second.json')
    const draft = ['agreements', 'draft', '--partner', 'recipient', '--product', 'items', '--as', 'holder']
    await run('holder', ...draft, '--purpose', testPurpose, '--out', file)
    const { '@id': second } = (JSON.parse(await readFile(file, 'utf8')) as { agreement: { '@id': string } }).agreement
    const named = new RegExp(`\`${second}\` and \`${first}\` cover the same calls of \`items\``)
    for (const who of ['holder', 'recipient'] as const) {
      const { error } = await run(who, 'agreements', 'sign', file)
      assert.match(error, named)
      assert.match(error, /Comity-Agreement/)
    }
    for (const who of ['holder', 'recipient'] as const) {
      const { out, error } = await run(who, 'agreements', 'import', file)
      assert.match(out, /is in-force: items/)
      assert.match(error, named)
    }
    const doctor = async () => (await runQuietly('-c', network.recipient.configFile, 'doctor')).out
    assert.equal((await doctor()).match(/cover the same calls/g)?.length, 1)
    await run('recipient', 'agreements', 'terminate', first, '--reason', 'one is enough')
    assert.doesNotMatch(await doctor(), /cover the same calls/)
  })
})
