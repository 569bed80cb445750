import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadLater } from './load-later.ts'

class Counter {
  #count = 0
  async add(by: number): Promise<number> {
    return (this.#count += by)
  }
  async fail(): Promise<void> {
    throw new Error('no')
  }
  reset(): void {
    this.#count = 0
  }
}

const place = () => {
  let loads = 0
  const counter = new Counter()
  const load = async () => {
    loads += 1
    return counter
  }
  return { late: loadLater<Counter>(load, { reset: () => counter.reset() }), loads: () => loads }
}

test('a service is loaded with the first call that needs it, and called as itself', async () => {
  const { late, loads } = place()
  assert.equal(loads(), 0)
  assert.deepEqual([await late.add(2), await late.add(3)], [2, 5])
  await assert.rejects(late.fail(), /no/)
})

test('what cannot wait is answered without loading', () => {
  const { late, loads } = place()
  late.reset()
  assert.equal(loads(), 0)
})

test('a service that is not loaded can be handed through promises', async () => {
  const { late, loads } = place()
  assert.equal(await Promise.resolve(late), late)
  assert.equal(loads(), 0)
})
