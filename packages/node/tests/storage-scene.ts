/** A holder whose storage is made to fail: it must refuse, release nothing, write nothing by halves, say that it is not
 *  ready, and go on by itself when it can. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { NodeRecords, WatchedLog } from './kill-log.ts'
import { send, signCall, type Answer } from './signed-call.ts'
import { startProcess, type NodeProcess } from './start-process.ts'
import type { FillableDisk } from './storage-kit.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from './test-network.ts'

const textOf = ({ body }: Answer): string => body.toString('utf8')

/** The holder as a process, the recipient in this one. */
export class Scene {
  readonly network: TestNetwork
  readonly process: NodeProcess
  readonly directory: string
  readonly records: NodeRecords

  constructor(network: TestNetwork, process: NodeProcess, directory: string) {
    this.network = network
    this.process = process
    this.directory = directory
    this.records = new NodeRecords(directory)
  }

  read = (): Promise<Answer> => send(this.network.holder, signCall(this.network))

  write = (key: string): Promise<Answer> =>
    send(
      this.network.holder,
      signCall(this.network, {
        method: 'POST',
        path: '/x/items/items',
        headers: {
          'comity-purpose': testPurpose,
          'idempotency-key': `"${key}"`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ name: key }),
      }),
    )

  async status(path: string): Promise<number> {
    const headers = [['host', new URL(this.network.holder.url).host]] as const
    return (await send(this.network.holder, { method: 'GET', target: path, headers, body: '' })).status
  }

  async waitFor(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
    const untilMs = performance.now() + 60_000
    while (!(await isSo())) {
      assert.ok(performance.now() < untilMs, `${what}: not within a minute`)
      await sleep(50)
    }
  }

  /** Reads and writes are refused as `record-failed`, nothing of an answer leaves, the upstream is spared. */
  async assertRefuses(): Promise<string[]> {
    const before = this.network.upstream.seen.length
    const answers = [await this.read(), await this.write('refused')]
    for (const answer of answers) {
      assert.equal(answer.status, 503, textOf(answer))
      assert.match(textOf(answer), /"code":"record-failed"/)
      assert.equal(answer.headers.get('content-type'), 'application/problem+json')
      assert.ok(answer.headers.has('retry-after'))
      assert.ok(!answer.headers.has('comity-receipt') && !answer.headers.has('signature'))
      assert.doesNotMatch(textOf(answer), /item 7/)
    }
    const writes = this.network.upstream.seen.slice(before).filter(({ method }) => method === 'POST')
    assert.equal(writes.length, 0, 'a write went upstream without a durable intent')
    assert.equal(await this.status('/readyz'), 503)
    assert.equal(await this.status('/healthz'), 200)
    return answers.map((answer) => (JSON.parse(textOf(answer)) as { requestId: string }).requestId)
  }

  /** Ready again by itself, and all that was refused can be done. */
  async assertRecovers(): Promise<void> {
    await this.waitFor('ready again', async () => (await this.status('/readyz')) === 200)
    assert.equal((await this.read()).status, 200)
    assert.equal((await this.write('refused')).status, 201)
  }

  /** Stops it; log and database are whole, and hold nothing of the refused exchanges. */
  async assertWhole(refused: readonly string[]): Promise<void> {
    this.process.signal('SIGTERM')
    const { code, stderr } = await this.process.ended
    assert.equal(code, 0, stderr)
    assert.ok((await new WatchedLog(this.directory).assertWhole()) > 0)
    for (const id of refused) assert.deepEqual(this.records.events('id LIKE ?', `${id}%`), [])
    const files = readdirSync(join(this.directory, 'log'), { recursive: true }).map(String)
    assert.deepEqual(
      files.filter((file) => file.endsWith('.tmp')),
      [],
    )
    const database = new DatabaseSync(join(this.directory, 'data', 'comity.db'))
    assert.deepEqual({ ...database.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
    database.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.kill()
    await this.network[Symbol.asyncDispose]()
  }
}

/** Starts both; data and log of the holder in `directory` when given. */
export async function openScene(directory?: string): Promise<Scene> {
  const network = await startTestNetwork({
    holder: (config) => {
      if (directory === undefined) return
      config['storage'] = { directory: join(directory, 'data') }
      config['log'] = { directory: join(directory, 'log') }
    },
  })
  await network.agree()
  await network.holder.stop()
  return new Scene(network, await startProcess(network.holder.configFile), directory ?? network.holder.directory)
}

/** The whole story of a disk that is full for a while, also between an upstream's act and its record. */
export async function refuseWhileFull(disk: FillableDisk): Promise<void> {
  await using scene = await openScene(disk.directory)
  const { pid } = scene.process
  assert.equal((await scene.read()).status, 200)
  disk.fill(pid)
  const refused = await scene.assertRefuses()
  disk.free(pid)
  await scene.assertRecovers()
  // The upstream has acted when the disk is full: the outcome is unknown, and both sides are told so.
  scene.network.upstream.behave = (_message, response) => {
    disk.fill(pid)
    response.writeHead(201, { 'content-type': 'application/json' }).end('{"id":3,"name":"lost"}')
  }
  const lost = await scene.write('lost')
  assert.equal(lost.status, 503, textOf(lost))
  scene.network.upstream.behave = undefined
  disk.free(pid)
  await scene.waitFor('closed as unknown', () => scene.records.intents('unknown').length === 1)
  assert.match(textOf(await scene.write('lost')), /"code":"outcome-unknown"/)
  const { auditLog } = scene.network.recipient.running.parts
  await scene.waitFor('told', async () =>
    (await auditLog.readEvents({ limit: 1_000 })).some(({ type }) => type === 'event-received'),
  )
  await scene.assertWhole(refused)
}
