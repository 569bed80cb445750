import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rememberingLast } from './last-preparation.ts'
import { preparationKey, type PolicyText, type Preparation } from './prepare-set.ts'

function counting() {
  const prepared: string[] = []
  const prepare = rememberingLast(async (texts: readonly PolicyText[]): Promise<Preparation> => {
    const text = texts.map((each) => each.text).join()
    prepared.push(text)
    if (text === 'bad') return { ok: false, faults: [{ source: 'a', message: 'is bad' }] }
    return { ok: true, set: { policies: [], hash: text, warnings: [] } }
  }, preparationKey)
  const of = async (text: string) => {
    const preparation = await prepare([{ source: 'a', text }])
    return preparation.ok ? preparation.set.hash : 'faults'
  }
  return { of, prepared }
}

test('the same texts are prepared once, others and what is wrong anew; only the last is remembered', async () => {
  const { of, prepared } = counting()
  assert.deepEqual([await of('a'), await of('a'), prepared.length], ['a', 'a', 1])
  assert.deepEqual([await of('bad'), await of('bad'), prepared.length], ['faults', 'faults', 3])
  assert.deepEqual([await of('a'), prepared.length], ['a', 3])
  assert.deepEqual([await of('b'), await of('a'), prepared.length], ['b', 'a', 5])
})
