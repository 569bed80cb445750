/** Which keys a round asks about, and what it keeps, where others keep keys in the same place. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatApiKey } from '@comity/core/api-keys/api-key'
import { formatKeyRing, parseKeyRing, type KeyRing } from './key-ring.ts'
import { recoverKey, renewKey, type KeyAnswer, type KeyPorts } from './key-rounds.ts'

const keyOf = (id: string) => formatApiKey({ environment: 'live', id: id.padEnd(8, '0'), secret: 'S'.repeat(32) })
const written = (names: string) => names.replace(/\b[A-Z]\b/g, keyOf)
const nameOf = (key: string) => key.split('_')[2]?.slice(0, 1) ?? ''
const read = (ring: KeyRing) => formatKeyRing(ring).replace(/cmty_live_(.)\w+/g, '$1')

/** A process at a store; what it asks and writes is noted. `B` is the successor, where the node answers for one. */
function process(text: string, kept: { text: string }, answers: Record<string, KeyAnswer>) {
  const seen: string[] = []
  const successor = answers['B'] === undefined ? undefined : 'B'
  const held = { ring: parseKeyRing(written(text)) }
  const ended = new Set<string>()
  const ports: KeyPorts = {
    load: async () => parseKeyRing(written(kept.text)),
    async keep(ring) {
      if (read(ring) !== kept.text) seen.push(`keeps ${read(ring)}`)
      kept.text = read(ring)
      return 'kept'
    },
    hold: (ring) => void (held.ring = ring),
    async ask(key) {
      seen.push(`asks ${nameOf(key)}`)
      return answers[nameOf(key)] ?? 'ended'
    },
    async claim(key) {
      seen.push(`claims ${nameOf(key)}`)
      return successor === undefined ? 'refused' : { key: keyOf(successor) }
    },
    pause: async () => undefined,
  }
  return {
    seen,
    ended,
    renew: () => renewKey(held.ring, ports, ended),
    recover: () => recoverKey(held.ring, ports, ended),
    held,
  }
}

test('a key that has ended is asked about once, however often others bring it back', async () => {
  const kept = { text: 'A next=X' }
  const own = process('A', kept, { A: 'works' })
  assert.equal(await own.renew(), 'refused')
  assert.deepEqual(own.seen.splice(0), ['asks X', 'claims A'])
  for (let times = 0; times < 3; times += 1) {
    kept.text = 'A next=X old=X'
    assert.equal(await own.renew(), 'refused')
    assert.deepEqual(own.seen.splice(0), ['claims A'])
    assert.equal(read(own.held.ring), 'A')
  }
})

test('the next key is asked for where nothing is learned of one that is kept', async () => {
  const kept = { text: 'A next=X' }
  const answers: Record<string, KeyAnswer> = { A: 'works', X: 'unclear', B: 'works' }
  const own = process('A', kept, answers)
  assert.equal(await own.renew(), 'moved')
  assert.equal(kept.text, 'B next=X old=A')
  assert.deepEqual(own.seen, ['asks X', 'claims A', 'keeps A next=B next=X', 'asks B', `keeps ${kept.text}`])
})

test('one round asks for one key, whatever is lost', async () => {
  const kept = { text: 'A next=X' }
  const own = process('A', kept, { A: 'works', X: 'unclear', B: 'unclear' })
  assert.equal(await own.renew(), 'later')
  assert.deepEqual(
    own.seen.filter((what) => what.startsWith('claims')),
    ['claims A'],
  )
  const refused = process('A', { text: 'A next=X' }, { A: 'works', X: 'unclear' })
  assert.equal(await refused.renew(), 'later', 'not as one that is refused: a key may be there')
})

test('a key that had ended is found again when all others are refused', async () => {
  const kept = { text: 'A next=X' }
  const answers: Record<string, KeyAnswer> = { A: 'works' }
  const own = process('A', kept, answers)
  await own.renew()
  kept.text = 'X'
  Object.assign(answers, { A: 'ended', X: 'works' })
  assert.equal(await own.recover(), true)
  assert.equal(read(own.held.ring), 'X')
  assert.equal(own.ended.has(keyOf('X')), false)
})

test('two processes do not write against each other', async () => {
  const kept = { text: 'C old=B old=A' }
  const answers: Record<string, KeyAnswer> = { C: 'works' }
  const [one, other] = [process('C old=A old=B', kept, answers), process('C old=B old=A', kept, answers)]
  for (let round = 0; round < 3; round += 1) {
    await one.renew()
    await other.renew()
    await one.recover()
    await other.recover()
  }
  assert.deepEqual(
    [...one.seen, ...other.seen].filter((what) => what.startsWith('keeps')),
    [],
  )
})
