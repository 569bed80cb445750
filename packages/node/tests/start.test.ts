/** A node that cannot start says why, with the code of a problem, and leaves nothing behind: no port, no lock. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { createServer, connect } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { lockDataDirectory } from '../src/storage/data-directory-lock.ts'
import { startAndEnd, startProcess } from './start-process.ts'
import { startTestNetwork, type TestNetwork, type TestNode } from './test-network.ts'

async function isOpen(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Runs `meanwhile` with the file's bytes replaced, and puts them back. */
async function withBytes(path: string, change: (bytes: Buffer) => Uint8Array | string, meanwhile: () => Promise<void>) {
  const bytes = await readFile(path)
  await writeFile(path, change(bytes))
  try {
    await meanwhile()
  } finally {
    await writeFile(path, bytes)
  }
}

describe('a node that cannot start', () => {
  let network: TestNetwork
  let node: TestNode
  before(async () => {
    network = await startTestNetwork()
    await network.agree()
    await Promise.all([network.holder.stop(), network.recipient.stop()])
    node = network.holder
  })
  after(() => network[Symbol.asyncDispose]())

  const data = (file: string): string => join(node.directory, 'data', file)

  /** Exit code 1, one problem on standard error, nothing listening, nothing locked. */
  async function assertRefusesToStart(code: string): Promise<string> {
    const { code: exitCode, stderr, signal } = await startAndEnd(node.configFile)
    assert.equal(exitCode, 1, `${signal ?? ''} ${stderr}`)
    assert.match(stderr, new RegExp(`\\(${code}\\)`))
    assert.doesNotMatch(stderr, /^\s+at |node:internal/m)
    assert.equal(await isOpen(node.port), false)
    lockDataDirectory(join(node.directory, 'data'))[Symbol.dispose]()
    return stderr
  }

  const config = () => node.configFile
  const edited = (change: (values: Record<string, never>) => void) => (bytes: Buffer) => {
    const values = parse(bytes.toString('utf8')) as Record<string, never>
    change(values)
    return stringify(values)
  }

  test('says so when a port is in use', async () => {
    for (const listener of ['public', 'local', 'admin'] as const) {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as { port: number }
      const change = edited((values) => Object.assign(values['listen']![listener], { port, address: '127.0.0.1' }))
      await withBytes(config(), change, async () => {
        const stderr = await assertRefusesToStart('listener-failed')
        assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${port}`))
      })
      server.close()
    }
  })

  test('says so when another process has the data directory', async () => {
    await using other = await startProcess(config())
    const ending = await startAndEnd(config())
    assert.equal(ending.code, 1)
    assert.match(ending.stderr, /\(data-in-use\)/)
    assert.equal(await isOpen(node.port), true, 'the first one runs on')
    assert.ok(other.pid > 0)
  })

  test('lists the mistakes of a broken configuration', async () => {
    const change = edited((values) => Object.assign(values, { limits: { nonces: 'many' }, unheard: 1 }))
    await withBytes(config(), change, async () => {
      const stderr = await assertRefusesToStart('config-invalid')
      assert.match(stderr, /limits\.nonces/)
      assert.match(stderr, /unheard/)
    })
    await withBytes(
      config(),
      () => 'comity: 1\n  bad: [',
      async () => void (await assertRefusesToStart('config-invalid')),
    )
  })

  test('cannot unlock its keys with another secret', async () => {
    const keyFile = join(node.directory, 'keys', 'key-file')
    const wrong = (bytes: Buffer) => (bytes.length === 32 ? Buffer.alloc(32, 7) : Buffer.from('x'.repeat(bytes.length)))
    await withBytes(keyFile, wrong, async () => void (await assertRefusesToStart('keys-locked')))
  })

  test('does not touch a database that is damaged', async () => {
    const garbage = (bytes: Buffer) => Buffer.concat([Buffer.alloc(4_096, 'garbage '), bytes.subarray(4_096)])
    await withBytes(data('comity.db'), garbage, async () => void (await assertRefusesToStart('storage-failed')))
  })

  test('does not touch a database of a newer version', async () => {
    const path = data('comity.db')
    await withBytes(
      path,
      (bytes) => bytes,
      async () => {
        const database = new DatabaseSync(path)
        database.exec(`INSERT INTO schema_migrations VALUES (99, '0099-future', 'x', 0)`)
        database.close()
        await assertRefusesToStart('schema-mismatch')
      },
    )
  })

  test('does not sign over a log that was changed', async () => {
    const log = join(node.directory, 'log')
    const files = (await readdir(log, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
    const newest = files
      .filter(({ parentPath }) => /tile\/0/.test(parentPath))
      .toSorted((a, b) => Number(a.name) - Number(b.name))
      .at(-1)
    const tile = join(newest?.parentPath ?? '', newest?.name ?? '')
    const flipped = (bytes: Buffer) => bytes.map((byte, index) => (index === 5 ? byte ^ 1 : byte))
    await withBytes(tile, flipped, async () => void (await assertRefusesToStart('log-inconsistent')))
    const checkpoint = join(log, 'checkpoint')
    const forged = (bytes: Buffer) => bytes.toString('utf8').replace(/\n\d+\n/, '\n1000000\n')
    await withBytes(checkpoint, forged, async () => void (await assertRefusesToStart('log-inconsistent')))
  })

  test('starts again when all is as it was', async () => {
    await using running = await startProcess(config())
    running.signal('SIGTERM')
    assert.deepEqual(await running.ended, { code: 0, signal: null, stderr: '' })
  })
})
