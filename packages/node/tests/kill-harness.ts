/** Kills nodes with SIGKILL at random moments under load and holds what is left to what was promised (design: an answer
 *  that somebody saw is in the log, the log only grows, an unsafe call is made once). */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseReceipt } from '@comity/core/exchange/receipt'
import { WatchedLog, NodeRecords, leafText } from './kill-log.ts'
import { startLoad, type Load, type SeenAnswer } from './kill-load.ts'
import { send, signCall, type SignedCall } from './signed-call.ts'
import { installedCommand, startProcess, type NodeProcess } from './start-process.ts'
import { startTestNetwork, testPurpose, type TestNetwork, type TestNode } from './test-network.ts'

export interface KillReport {
  readonly rounds: number
  readonly answers: number
  readonly executions: number
  readonly openIntents: number
  readonly replaysRefused: number
  /** Of the restarts; `firstReadyMs` is of the start before any kill, on the same machine in the same minute. */
  readonly medianReadyMs: number
  readonly firstReadyMs: number
  readonly slowestReadyMs: number
  readonly entries: number
}

/** Mulberry32: the same kills for the same seed, as far as the machine allows. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One participant: its node's process, come and gone, and what lasts. */
class Victim {
  readonly node: TestNode
  readonly records: NodeRecords
  readonly log: WatchedLog
  readonly readyMs: number[] = []
  process: NodeProcess | undefined

  constructor(node: TestNode) {
    this.node = node
    this.records = new NodeRecords(node.directory)
    this.log = new WatchedLog(node.directory)
  }

  async start(): Promise<void> {
    this.process = await startProcess(this.node.configFile, { command: installedCommand() })
    this.readyMs.push(this.process.readyMs)
  }

  async kill(): Promise<void> {
    const victim = this.process
    this.process = undefined
    await victim?.kill()
  }

  /** SIGTERM, and a clean end. */
  async stop(): Promise<void> {
    const ending = this.process
    this.process = undefined
    ending?.signal('SIGTERM')
    const how = await ending?.ended
    assert.equal(how?.code, 0, how?.stderr)
  }
}

class KillRun {
  readonly network: TestNetwork
  readonly holder: Victim
  readonly recipient: Victim
  readonly load: Load
  readonly random: () => number
  /** How often the upstream did what each key asked for. */
  readonly executions = new Map<string, number>()
  readonly answers: SeenAnswer[] = []
  /** Exchange ids whose outcome a crash took. */
  readonly openIntents: string[] = []
  replaysRefused = 0
  #captured: SignedCall[] = []

  constructor(network: TestNetwork, seed: number) {
    this.network = network
    this.random = seeded(seed)
    this.holder = new Victim(network.holder)
    this.recipient = new Victim(network.recipient)
    this.load = startLoad({ localPort: () => this.recipient.process?.ports.local, readers: 4, writers: 4, seed })
    network.upstream.behave = (message, response) => {
      const { body } = network.upstream.seen.splice(0).at(-1) ?? { body: '' }
      const isWrite = message.method === 'POST'
      if (isWrite) this.#count((JSON.parse(body) as { name: string }).name)
      const item = isWrite ? { id: 3, ...(JSON.parse(body) as object) } : { id: 7, name: 'item 7' }
      const answer = () => response.writeHead(isWrite ? 201 : 200, jsonField).end(JSON.stringify(item))
      setTimeout(answer, isWrite ? 15 * this.random() : 0)
    }
  }

  #count(key: string): void {
    this.executions.set(key, (this.executions.get(key) ?? 0) + 1)
  }

  async start(): Promise<void> {
    await Promise.all([this.holder.start(), this.recipient.start()])
  }

  async round(): Promise<void> {
    const withRecipient = this.random() < 0.3
    await Promise.all([this.#watch(150 + 600 * this.random()), this.#capture()])
    await Promise.all([this.holder.kill(), withRecipient ? this.recipient.kill() : undefined])
    const answers = this.load.take()
    const open = this.holder.records.intents('running')
    this.openIntents.push(...open.map(({ id }) => id))
    await Promise.all([this.holder.start(), withRecipient ? this.recipient.start() : undefined])
    this.#assertClosed(open)
    await this.#assertReplaysRefused()
    await this.#assertAnswersLogged(answers)
    await this.#assertOnceOnly(answers, open)
    this.answers.push(...answers)
  }

  /** Looks at the holder's checkpoints from outside for a while. */
  async #watch(forMs: number): Promise<void> {
    const untilMs = performance.now() + forMs
    while (performance.now() < untilMs) {
      const { status, body } = await send(this.holder.node, {
        method: 'GET',
        target: '/log/checkpoint',
        headers: [['host', new URL(this.holder.node.url).host]],
        body: '',
      })
      assert.equal(status, 200)
      await this.holder.log.remember(body.toString('utf8'))
      await sleep(40)
    }
  }

  /** Signed requests as somebody on the way could have recorded them, answered before the kill. */
  async #capture(): Promise<void> {
    this.#captured = [signCall(this.network), signCall(this.network, writeDraft(`captured-${this.answers.length}`))]
    for (const call of this.#captured) {
      const { status, body } = await send(this.holder.node, call)
      assert.ok(status < 300, body.toString('utf8'))
    }
  }

  async #assertReplaysRefused(): Promise<void> {
    for (const call of this.#captured) {
      const { body } = await send(this.holder.node, call)
      assert.equal((JSON.parse(body.toString('utf8')) as { code?: string }).code, 'nonce-replayed')
      this.replaysRefused += 1
    }
  }

  /** What the crash left open is closed as `unknown`, in the intents and in the log. */
  #assertClosed(open: readonly { readonly id: string }[]): void {
    const unknown = new Set(this.holder.records.intents('unknown').map(({ id }) => id))
    for (const { id } of open) {
      assert.ok(unknown.has(id), `the intent ${id} is still open`)
      const closing = this.holder.records.events(`body LIKE '%"outcome":"unknown"%' AND body LIKE ?`, `%${id}%`)
      assert.equal(closing.length, 1, `exchange ${id} is closed once`)
    }
  }

  /** Every answer that an application saw is in both logs, and provable at the holder's. */
  async #assertAnswersLogged(answers: readonly SeenAnswer[]): Promise<void> {
    const claimed = answers.flatMap(({ receipt }) => (receipt === undefined ? [] : [parseReceipt(receipt).claims]))
    const rows = claimed.map(({ jti, leaf }) => {
      const row = this.holder.records.event(jti)
      assert.ok(row, `exchange ${jti} was answered and is not in the holder's log`)
      assert.equal(leafText(row.leaf), leaf)
      return { position: row.position, leaf }
    })
    for (const { recipientId } of answers) {
      assert.ok(this.recipient.records.event(recipientId), `${recipientId} is not in the recipient's log`)
    }
    const checkpoint = await this.holder.log.waitFor(Math.max(0, ...rows.map(({ position }) => position)))
    for (const { position, leaf } of rows) await this.holder.log.assertProvable(position, leaf, checkpoint)
  }

  /** Asks again with keys that were answered, and with those whose outcome nobody knows. */
  async #assertOnceOnly(answers: readonly SeenAnswer[], open: readonly { readonly key: string }[]): Promise<void> {
    for (const earlier of answers.filter(({ key, status }) => key !== undefined && status === 201).slice(-5)) {
      const again = await this.load.write(earlier.key ?? '')
      assert.deepEqual([again?.status, again?.body, again?.isReplayed], [201, earlier.body, true])
    }
    for (const { key } of open.slice(0, 5)) {
      if (!key.startsWith('write-')) continue
      assert.equal((await this.load.write(key))?.code, 'outcome-unknown')
    }
    for (const [key, count] of this.executions) assert.equal(count, 1, `${key} was executed ${count} times`)
  }

  /** Every crash's open exchanges were told to the recipient. */
  async #assertToldOfUnknown(): Promise<void> {
    const untilMs = performance.now() + 20_000
    const told = () => {
      const tokens = this.recipient.records.events(`type = 'event-received'`).map(({ body }) => payloadText(body))
      return this.openIntents.filter((id) => !tokens.some((text) => text.includes(id)))
    }
    while (told().length > 0 && performance.now() < untilMs) await sleep(100)
    assert.deepEqual(told(), [], 'exchanges with unknown outcome of which the recipient was not told')
  }

  async end(): Promise<void> {
    await this.#assertToldOfUnknown()
    await this.load.stop()
    const answers = this.load.take()
    this.answers.push(...answers)
    await this.#assertAnswersLogged(answers)
    await Promise.all([this.holder.stop(), this.recipient.stop()])
  }

  async report(rounds: number): Promise<KillReport> {
    const times = this.holder.readyMs.slice(1).toSorted((a, b) => a - b)
    await this.recipient.log.assertWhole()
    return {
      rounds,
      answers: this.answers.length,
      executions: this.executions.size,
      openIntents: this.openIntents.length,
      replaysRefused: this.replaysRefused,
      medianReadyMs: Math.round(times[Math.floor(times.length / 2)] ?? 0),
      firstReadyMs: Math.round(this.holder.readyMs[0] ?? 0),
      slowestReadyMs: Math.round(times.at(-1) ?? 0),
      entries: await this.holder.log.assertWhole(),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.holder.kill(), this.recipient.kill()])
    await this.load.stop()
  }
}

const jsonField = { 'content-type': 'application/json' }

function writeDraft(key: string) {
  return {
    method: 'POST',
    path: '/x/items/items',
    headers: { 'comity-purpose': testPurpose, 'idempotency-key': `"${key}"`, ...jsonField },
    body: JSON.stringify({ name: key }),
  }
}

/** The claims of a received token, as text. */
function payloadText(body: string): string {
  const { token = '' } = JSON.parse(body) as { token?: string }
  return Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')
}

/** Kills the holder `rounds` times, in some rounds the recipient with it. Throws at the first promise that is broken. */
export async function killRounds(rounds: number, seed: number): Promise<KillReport> {
  await using network = await startTestNetwork()
  await network.agree()
  await Promise.all([network.holder.stop(), network.recipient.stop()])
  await using run = new KillRun(network, seed)
  await run.start()
  for (let round = 1; round <= rounds; round++) {
    try {
      await run.round()
    } catch (cause) {
      throw new Error(`round ${round} of seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      })
    }
  }
  await run.end()
  return await run.report(rounds)
}

/** A killed node looks after what it left behind, which must not make its start another kind of thing: seconds of work
 *  would show as many times a plain start, whatever the machine is. */
export function assertRestartsLikeStarts({ medianReadyMs, firstReadyMs }: KillReport): void {
  assert.ok(medianReadyMs < 4 * firstReadyMs, `a restart took ${medianReadyMs} ms, the first start ${firstReadyMs} ms`)
}
