import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseApiKey } from '@comity/core/api-keys/api-key'
import { Problem } from '@comity/core/problems'
import { keyChangeSchema } from './api-key-record.ts'
import { clientChangeSchema } from './client.ts'
import { dayMs, office, openTestKeys, startMs, type TestKeys } from './keys-test-node.ts'

const refused = (code: string) => (error: unknown) => error instanceof Problem && error.code === code
const idOf = (text: string) => parseApiKey(text).id

type Old = { readonly id: string; readonly text: string }

async function withKey(work: (node: TestKeys, old: Old) => Promise<void>, { policies = {}, key = {} } = {}) {
  await using node = await openTestKeys()
  await node.addClient({ policies: { overlapDays: 10, ...policies } })
  await work(node, await node.issue(key))
}

async function rotate(node: TestKeys, id: string, request: object = {}) {
  const { rotation, successor } = await node.apiKeys.rotations.rotate(id, request, 'operator')
  return { rotation, text: successor?.text ?? '' }
}

const claim = ({ apiKeys }: TestKeys, { id, text }: Old, use: 'plain' | 'hmac' = 'plain') =>
  apiKeys.renew(id, use === 'plain' ? text : undefined)

test('a rotation makes one key, the same whenever its client asks for it, also after a restart', async () => {
  for (const use of ['plain', 'hmac'] as const) {
    await withKey((node, old) => claimsOne(node, old, use), { key: { use } })
  }
})

async function claimsOne(node: TestKeys, old: Old, use: 'plain' | 'hmac'): Promise<void> {
  await assert.rejects(claim(node, old, use), refused('key-not-rotated'))
  const { rotation } = await rotate(node, old.id, { successor: 'claim' })
  await assert.rejects(node.apiKeys.rotations.complete(rotation.id, 'operator'), refused('key-rotation-refused'))
  const [one, two] = await Promise.all([claim(node, old, use), claim(node, old, use)])
  assert.deepEqual(one, two)
  await node.restart()
  assert.deepEqual(await claim(node, old, use), one)
  assert.equal(node.ask(one.key), use === 'plain' ? 'billing' : 'key-use')
  assert.equal(one.sunset, new Date(startMs + 10 * dayMs).toISOString().replace('.000Z', 'Z'))
  const claims = (await node.log()).filter(({ action }) => action === 'rotation-claim')
  assert.deepEqual(
    claims.map(({ by }) => by),
    ['client'],
    'a key makes one key, however often it asks',
  )
  assert.equal((await node.apiKeys.listKeys({ limit: 10 })).length, 2)
}

test('a successor is told again until it has been in use for ten minutes', () =>
  withKey(async (node, old) => {
    await rotate(node, old.id, { successor: 'claim' })
    const first = await claim(node, old)
    node.clock.nowMs += dayMs
    node.apiKeys.used(first.keyId, office, node.clock.nowMs)
    node.clock.nowMs += 599_999
    assert.equal((await claim(node, old)).key, first.key)
    node.clock.nowMs += 1
    await assert.rejects(claim(node, old), refused('key-rotation-refused'))
    assert.deepEqual([node.ask(first.key), node.ask(old.text)], ['billing', 'billing'])
  }))

test('the database tells nobody the key that was claimed: it follows from the old one, which is not there', () =>
  withKey(async (node, old) => {
    await rotate(node, old.id, { successor: 'claim' })
    const { key } = await claim(node, old)
    const { secret } = parseApiKey(key)
    const dump = JSON.stringify(await node.database.all('SELECT * FROM api_keys'))
    assert.equal(dump.includes(secret), false)
    const other = await node.issue()
    await assert.rejects(node.apiKeys.renew(old.id, other.text), refused('key-rotation-refused'))
  }))

test('a successor that the operator made is neither told to who has the old key, nor taken away by it', () =>
  withKey(async (node, old) => {
    const { text } = await rotate(node, old.id)
    await assert.rejects(claim(node, old), refused('key-rotation-refused'))
    assert.equal(node.ask(text), 'billing')
    const hmac = await node.issue({ use: 'hmac' })
    const { rotation } = await rotate(node, hmac.id)
    await assert.rejects(claim(node, hmac, 'hmac'), refused('key-rotation-refused'))
    assert.equal((await node.apiKeys.showKey(rotation.to ?? '')).state, 'active')
  }))

test('a successor that is replaced is told of, and one that is in use is not replaced', () =>
  withKey(async (node, old) => {
    const { rotation, text } = await rotate(node, old.id)
    const { successor } = await node.apiKeys.rotations.replaceSuccessor(rotation.id)
    assert.deepEqual([node.ask(text), node.ask(successor.text)], ['key-revoked', 'billing'])
    const { type, key, reason, successor: next } = node.notices.at(-1) ?? assert.fail()
    assert.deepEqual([type, key, reason, next], ['key.revoked', idOf(text), 'replaced', successor.record.id])
    node.apiKeys.used(successor.record.id, office, startMs)
    await assert.rejects(node.apiKeys.rotations.replaceSuccessor(rotation.id), refused('key-rotation-refused'))
    assert.equal(node.ask(successor.text), 'billing')
  }))

test('a successor that is being replaced is refused before that is written, so that none works and is then revoked', () =>
  withKey(async (node, old) => {
    const { rotation, text } = await rotate(node, old.id)
    let answer = ''
    node.beforeWrite = () => (answer = node.ask(text))
    await node.apiKeys.rotations.replaceSuccessor(rotation.id)
    assert.equal(answer, 'key-revoked')
    assert.equal(node.ask(text), 'key-revoked')
    node.failure = new Problem('record-failed', 'made to fail')
    await assert.rejects(node.apiKeys.rotations.replaceSuccessor(rotation.id), refused('record-failed'))
    const { rotation: kept } = await node.apiKeys.showRotation(rotation.id)
    assert.equal((await node.apiKeys.showKey(kept.to ?? '')).state, 'active', 'what could not be written is as before')
  }))

test('the first use of a successor that comes while it is replaced keeps it', () =>
  withKey(async (node, old) => {
    const { rotation, text } = await rotate(node, old.id)
    const replacing = node.apiKeys.rotations.replaceSuccessor(rotation.id)
    // Admitted before it was cut off, and counted after it: what a signed call does whose nonce is being written.
    node.apiKeys.used(idOf(text), office, startMs)
    await assert.rejects(replacing, refused('key-rotation-refused'))
    assert.equal(node.ask(text), 'billing')
  }))

test('a client that may not renew by itself gets nothing', () =>
  withKey(
    async (node, old) => {
      await assert.rejects(rotate(node, old.id, { successor: 'claim' }), /may not fetch .*without `--claim`/)
      // A policy waits for the operator.
      const { rotation } = await node.apiKeys.rotations.rotate(old.id, { successor: 'claim' }, 'policy')
      await assert.rejects(claim(node, old), /may not fetch .*`comity api-keys successor`/)
      const fields = () => node.apiKeys.lifeFields(old.id, '/r').filter((_, index) => index % 2 === 0)
      assert.deepEqual(fields(), ['deprecation', 'sunset'], 'and no link to a renewal')
      const { successor } = await node.apiKeys.rotations.replaceSuccessor(rotation.id)
      assert.equal(node.ask(successor.text), 'billing')
      await node.apiKeys.clients.change('billing', clientChangeSchema.parse({ policies: { selfRenewal: true } }))
      assert.deepEqual(fields(), ['deprecation', 'sunset'], 'the operator made it')
    },
    { policies: { selfRenewal: false } },
  ))

test('where the next key is fetched is told while its client can, and not once the operator made it', () =>
  withKey(async (node, old) => {
    const link = () => node.apiKeys.lifeFields(old.id, '/r')[5]
    const { rotation } = await rotate(node, old.id, { successor: 'claim' })
    const told = link()
    assert.match(told ?? '', /^<\/r>; rel="urn:comity:rel:key-renewal"; key="/)
    await claim(node, old)
    assert.equal(link(), told, 'for who lost it, and for other machines')
    await node.apiKeys.rotations.replaceSuccessor(rotation.id)
    assert.equal(link(), undefined)
  }))

test('a client whose claimed successor was revoked, or expired, claims another with the old key: one for each that ended', () =>
  withKey(async (node, old) => {
    const { rotation } = await rotate(node, old.id, { successor: 'claim' })
    const first = await claim(node, old)
    await node.apiKeys.keys.revoke(first.keyId, { by: 'operator', reason: 'lost' })
    const told = node.notices.at(-1)
    assert.deepEqual([told?.key, told?.rotation, told?.successor], [first.keyId, rotation.id, undefined])
    const second = await claim(node, old)
    assert.deepEqual(
      [node.ask(first.key), node.ask(second.key), node.ask(old.text)],
      ['key-revoked', 'billing', 'billing'],
    )
    assert.equal((await claim(node, old)).key, second.key, 'not one more for each time that it asks')
    await node.apiKeys.rotations.drain(rotation.id, 'operator')
    await node.apiKeys.keys.change(
      second.keyId,
      keyChangeSchema.parse({ expires: new Date(startMs + 1_000).toISOString() }),
    )
    node.clock.nowMs += 2_000
    await node.apiKeys.tend()
    await node.restart()
    const third = await claim(node, old)
    assert.deepEqual([node.ask(second.key), node.ask(third.key)], ['key-expired', 'billing'])
    const ended = await node.apiKeys.rotations.complete(rotation.id, 'operator')
    assert.deepEqual([ended.state, ended.to, node.ask(old.text)], ['completed', third.keyId, 'key-expired'])
    assert.equal((await node.apiKeys.listKeys({ limit: 10 })).length, 4)
  }))

test('while its claimed successor has ended the old key goes on beyond its sunset, and nothing is claimed with one that ended', () =>
  withKey(async (node, old) => {
    const { rotation } = await rotate(node, old.id, { successor: 'claim', retire: 'scheduled' })
    const first = await claim(node, old)
    await node.apiKeys.keys.revoke(first.keyId, { by: 'operator' })
    node.clock.nowMs += 11 * dayMs
    await node.apiKeys.tend()
    assert.equal(node.ask(old.text), 'billing')
    assert.deepEqual(
      node.notices.filter(({ type }) => type === 'key.waiting').map(({ key, reason }) => [key, reason]),
      [[old.id, 'not-claimed']],
    )
    await node.apiKeys.keys.revoke(old.id, { by: 'operator' })
    await assert.rejects(claim(node, old), refused('key-rotation-refused'))
    assert.equal((await node.apiKeys.showRotation(rotation.id)).rotation.state, 'rolled-back')
  }))

test('a client is told that its successor is disabled, and gets no other: it may be enabled again', () =>
  withKey(async (node, old) => {
    await rotate(node, old.id, { successor: 'claim' })
    const { keyId, key } = await claim(node, old)
    await node.apiKeys.keys.disable(keyId, { by: 'operator' })
    await assert.rejects(claim(node, old), /the successor is disabled/)
    await node.apiKeys.keys.enable(keyId)
    assert.equal((await claim(node, old)).key, key)
  }))

test('a claimed successor that nobody has used ends no old key by schedule: its client may not have received it', () =>
  withKey(async (node, old) => {
    await rotate(node, old.id, { successor: 'claim', retire: 'scheduled' })
    await claim(node, old)
    for (const day of [4, 6, 10, 12]) {
      node.clock.nowMs = startMs + day * dayMs
      await node.apiKeys.tend()
      await node.restart()
      assert.equal(node.ask(old.text), 'billing', `day ${day}`)
    }
    const waiting = node.notices.filter(({ type }) => type === 'key.waiting')
    assert.deepEqual([...new Set(waiting.map(({ reason }) => reason))], ['not-used'])
    const { key, keyId } = await claim(node, old)
    node.apiKeys.used(keyId, office, node.clock.nowMs)
    assert.deepEqual([node.ask(old.text), node.ask(key)], ['key-expired', 'billing'], 'with the first use of the next')
    await node.apiKeys.tend()
    assert.equal((await node.apiKeys.showKey(old.id)).state, 'retired')
  }))

test('an operator who knows that the client has its successor completes a rotation before that was used', () =>
  withKey(async (node, old) => {
    const { rotation } = await rotate(node, old.id, { successor: 'claim', retire: 'scheduled' })
    await claim(node, old)
    await assert.rejects(node.apiKeys.rotations.complete(rotation.id, 'policy'), refused('key-rotation-refused'))
    await node.apiKeys.rotations.complete(rotation.id, 'operator')
    assert.equal(node.ask(old.text), 'key-expired')
  }))
