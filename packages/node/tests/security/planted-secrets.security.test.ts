/** What a process leaves behind when it is looked into or dies holds no secret: reports, last words, files. What a node
 *  says while it lives is in `planted-secrets.test.ts` and `consent-planted.test.ts`. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { after, before, describe, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { spellingIn } from '../spellings.ts'
import { startProcess } from '../start-process.ts'
import { startTestNetwork, testPurpose, type TestNetwork } from '../test-network.ts'

const planted = {
  upstreamKey: 'planted-upstream-key-7f3a',
  subject: 'planted-subject-kim-jansen',
  thrown: 'planted-in-an-error-4c1d',
}

describe('a process', () => {
  let network: TestNetwork
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'comity-last-'))
    network = await startTestNetwork()
    await network.agree()
    await network.recipient.stop()
    const { configFile } = network.recipient
    const config = parse(await readFile(configFile, 'utf8')) as Record<string, unknown>
    // A secret that is in the environment for as long as the process lives.
    config['telemetry'] = {
      traces: { endpoint: 'http://127.0.0.1:9/v1/traces', headers: { 'x-api-key': { env: 'PLANTED_KEY' } } },
    }
    await writeFile(configFile, stringify(config))
  })
  after(async () => {
    await network[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  async function secretsOf(): Promise<string[]> {
    const token = await readFile(join(network.recipient.directory, 'keys', 'admin.token'), 'utf8')
    const keyFile = await readFile(join(network.recipient.directory, 'keys', 'key-file'))
    return [...Object.values(planted), token.trim(), keyFile.toString('hex'), keyFile.toString('base64')]
  }

  async function assertFree(text: string, where: string): Promise<void> {
    for (const secret of await secretsOf()) {
      assert.equal(spellingIn(Buffer.from(text), secret), undefined, `${where} holds \`${secret.slice(0, 12)}…\``)
    }
    assert.doesNotMatch(text, /PRIVATE KEY|"d":"/, where)
  }

  /** Files that were not there before. */
  async function newFiles(places: readonly string[], run: () => Promise<void>): Promise<string[]> {
    const list = async () =>
      (await Promise.all(places.map(async (place) => (await readdir(place)).map((name) => join(place, name))))).flat()
    const earlier = new Set(await list())
    await run()
    return (await list()).filter((path) => !earlier.has(path))
  }

  const start = (options: string) =>
    startProcess(network.recipient.configFile, {
      environment: { PLANTED_KEY: planted.upstreamKey, NODE_OPTIONS: options },
    })

  async function callThrough(local: number): Promise<void> {
    const headers = { 'comity-purpose': testPurpose, 'comity-subject': planted.subject }
    await fetch(`http://127.0.0.1:${local}/holder/items/items/7`, { headers }).then((answer) => answer.text())
  }

  test('that is asked for a report by its operator lists no environment and no peers in it', async () => {
    const files = await newFiles([folder], async () => {
      await using node = await start(`--report-on-signal --report-signal=SIGUSR2 --report-directory=${folder}`)
      await callThrough(node.ports.local)
      node.signal('SIGUSR2')
      const endMs = performance.now() + 20_000
      while ((await readdir(folder)).length === 0 && performance.now() < endMs) await sleep(50)
      await sleep(300)
    })
    assert.equal(files.length, 1)
    const text = await readFile(files[0] ?? '', 'utf8')
    assert.match(text, /"javascriptStack"/)
    await assertFree(text, 'a report')
  })

  test('that dies of a fault says where, not of what data, and writes no file', async () => {
    const preload = join(folder, 'fault.mjs')
    await writeFile(
      preload,
      `process.on('SIGUSR2', () => {
         const cause = new Error('Bearer ${planted.thrown}')
         throw Object.assign(new SyntaxError('Unexpected token in ${planted.thrown}', { cause }), {
           headers: { authorization: '${planted.thrown}' },
         })
       })`,
    )
    const files = await newFiles([folder, process.cwd(), network.recipient.directory], async () => {
      await using node = await start(`--import=${pathToFileURL(preload).href}`)
      await callThrough(node.ports.local)
      node.signal('SIGUSR2')
      const { code, stderr } = await node.ended
      assert.equal(code, 1)
      const line = JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as { event: string; error: { name: string } }
      assert.deepEqual([line.event, line.error.name], ['node.crashed', 'SyntaxError'])
      await assertFree(stderr + node.logged(), 'the last words')
    })
    assert.deepEqual(files, [])
  })

  test('that is killed writes no file of its memory', async () => {
    const files = await newFiles([folder, process.cwd(), network.recipient.directory], async () => {
      await using node = await start('')
      await callThrough(node.ports.local)
      node.signal('SIGSEGV')
      await node.ended
      await assertFree(node.errors() + node.logged(), 'what was said')
    })
    // Whether the system keeps an image of a process is its operator's to say; the node asks for none.
    const images = files.filter((path) => /\/core(?:\.\d+)?$/.test(path))
    for (const image of images) await rm(image)
    assert.deepEqual(files, images)
  })
})
