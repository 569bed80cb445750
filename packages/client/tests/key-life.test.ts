/** The life of a kept API key in a world in which everything goes wrong: requests and answers are lost, programs die at
 *  any moment, stores fail, operators roll back, replace and disable, and three processes share one store. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { apiKeyCredential, type ApiKeyStore, type Credential } from '../src/api-key.ts'
import type { SendWithKey } from '../src/send-with-key.ts'
import { settled } from './made-up-world.ts'
import { ModelledNode } from './modelled-node.ts'

const weights = {
  rotate: 3,
  complete: 3,
  crash: 3,
  call: 6,
  'roll-back': 1,
  replace: 1,
  revoke: 1,
  disable: 1,
  enable: 1,
}
type Operation = keyof typeof weights
type Fault = 'none' | 'request' | 'answer' | 'store'

const event = fc.record({
  operation: fc.oneof(
    ...Object.entries(weights).map(([name, weight]) => ({ weight, arbitrary: fc.constant(name as Operation) })),
  ),
  process: fc.nat({ max: 2 }),
  faults: fc.array(fc.constantFrom<Fault>('none', 'none', 'request', 'answer', 'store'), { maxLength: 2 }),
  /** Requests, answers and writes that come to pass before the next event; 12 for all. */
  steps: fc.nat({ max: 12 }),
})

class Lost extends Error {}

class Scene {
  readonly node: ModelledNode
  readonly #order: fc.Scheduler
  #text: string
  readonly #processes: { credential: Credential; isAlive: boolean }[]
  #nowMs = 1_700_000_000_000
  faults: Fault[] = []

  constructor(order: fc.Scheduler, node: ModelledNode) {
    this.#order = order
    this.node = node
    this.#text = node.first.text
    this.#processes = [this.#start(), this.#start(), this.#start()]
  }

  /** A process that dies leaves what it did, and hears of nothing more. */
  #start() {
    const life = { isAlive: true }
    const step = <T>(name: string, work: () => T): Promise<T> => {
      if (!life.isAlive) return new Promise(() => undefined)
      return this.#order.schedule(Promise.resolve(), name).then(() => {
        if (!life.isAlive) return new Promise<T>(() => undefined)
        return work()
      })
    }
    const send: SendWithKey = async (key, { method, url }) => {
      const fault = this.faults.shift()
      const answer = await step('request', () => {
        if (fault !== 'request') return this.node.answer(method, url, key)
        throw new Lost()
      })
      return step('answer', () => {
        if (fault !== 'answer') return answer
        throw new Lost()
      })
    }
    const idle = (ms: number) => (ms === 15_000 ? new Promise<void>(() => undefined) : step('idle', () => undefined))
    const random = (length: number) => new Uint8Array(length)
    const clock = { now: () => this.#nowMs }
    const world = { fetch: globalThis.fetch, clock, random, sleep: idle, idle }
    const credential = apiKeyCredential(this.#store(step), { send, renewal: '/~keys/renewal', world })
    return Object.assign(life, { credential })
  }

  #store(step: <T>(name: string, work: () => T) => Promise<T>): ApiKeyStore {
    return {
      load: () => step('load', () => this.#text),
      save: (text, before) =>
        step('save', () => {
          if (this.faults.shift() === 'store') throw new Lost()
          if (this.#text !== before) return false
          this.#text = text
          return true
        }),
    }
  }

  play(operation: Operation, process: number): void {
    const { node } = this
    if (operation === 'rotate') node.rotate()
    if (operation === 'roll-back') node.rollBack()
    if (operation === 'complete') node.complete()
    if (operation === 'revoke') node.revokeSuccessor()
    if (operation === 'disable') node.disable(false)
    if (operation === 'enable') node.disable(true)
    if (operation === 'replace') this.#handOver(node.replaceSuccessor())
    const { [process]: running } = this.#processes
    if (operation === 'crash' && running !== undefined) {
      running.isAlive = false
      this.#processes[process] = this.#start()
    }
    this.#nowMs += 61_000
    if (operation === 'call') void this.call(process).catch(() => undefined)
  }

  /** The operator writes the successor to what the application keeps. */
  #handOver(successor: string | undefined): void {
    if (successor !== undefined) this.#text += ` ${successor}`
  }

  /** The status of a call's last answer. */
  async call(process: number): Promise<number> {
    const { credential } = this.#processes[process] ?? assert.fail()
    const request = { method: 'GET', url: '/p/x/y', headers: {}, signal: new AbortController().signal }
    const { response, key } = await credential.send(request)
    if (response.status !== 401) return response.status
    const { code } = (await response.json()) as { code: string }
    if (!(await credential.isReplaced(key, { status: 401, code, hasReceipt: false }))) return 401
    return (await credential.send(request)).response.status
  }

  /** A while later, when nothing is lost. */
  async check(): Promise<void> {
    this.faults = []
    this.#nowMs += 3_600_000
    if (!this.node.hasGoodKey()) return
    const statuses = await this.#order.waitFor(Promise.all([this.call(0), this.call(1), this.call(2)]))
    assert.deepEqual(statuses, [200, 200, 200], this.#text)
  }
}

test('while a key that was used is good, no call fails for good', async () => {
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.boolean(),
    fc.array(event, { minLength: 20, maxLength: 40, size: 'max' }),
    async (order, tellsAgain, events) => {
      const scene = new Scene(order, new ModelledNode({ tellsAgain }))
      for (const { operation, process, faults, steps } of events) {
        scene.faults.push(...faults)
        scene.play(operation, process)
        for (let step = 0; step < steps; step += 1) {
          await settled()
          if (order.count() > 0) await order.waitOne()
        }
        if (steps < 12) continue
        await order.waitIdle()
        await scene.check()
      }
      await order.waitIdle()
      await scene.check()
    },
  )
  await fc.assert(property, { numRuns: 150 })
})
