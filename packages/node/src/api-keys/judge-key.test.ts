import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiKeyName, formatApiKey, parseApiKey } from '@comity/core/api-keys/api-key'
import { Problem } from '@comity/core/problems'
import { here, openTestKeys, startMs } from './keys-test-node.ts'

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'none'
  } catch (error) {
    assert.ok(error instanceof Problem)
    return error.code
  }
}

test('a key that was issued is its client’s, and nothing else is: 10,000 wrong ones', async () => {
  await using node = await openTestKeys()
  await node.addClient({ participant: 'lab' })
  const { id, text } = await node.issue({ scope: { products: ['athletes'] } })
  assert.deepEqual(node.apiKeys.judge.authenticate(text, here, startMs), {
    keyId: id,
    line: id,
    client: 'billing',
    kind: 'application',
    environment: 'live',
    participant: 'did:web:lab.example',
    scope: { products: ['athletes'] },
    use: 'plain',
    sequence: false,
  })
  const { secret } = parseApiKey(text)
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  for (let index = 0; index < 10_000; index++) {
    const at = index % 32
    const other = alphabet.charAt((alphabet.indexOf(secret.charAt(at)) + 1 + (index % 61)) % 62)
    const wrong = secret.slice(0, at) + other + secret.slice(at + 1)
    assert.equal(node.ask(formatApiKey({ environment: 'live', id, secret: wrong })), 'key-unknown')
  }
})

test('who has not the secret reads the same, whether the key is there or not, of whichever kind and state', async () => {
  let hashed = 0
  await using node = await openTestKeys({
    hashes: (real) => ({ ...real, hashOf: (key) => (hashed++, real.hashOf(key)) }),
  })
  await node.addClient()
  const plain = await node.issue()
  const revoked = await node.issue()
  await node.apiKeys.keys.revoke(revoked.id, { by: 'operator' })
  const hmac = await node.issue({ use: 'hmac' })
  const faraway = await node.issue({ networks: ['10.0.0.0/8'], expires: new Date(startMs + 1).toISOString() })
  const secret = 'x'.repeat(32)
  const answers = ['nobody00', plain.id, revoked.id, hmac.id, faraway.id].map((id) => {
    const before = hashed
    const key = formatApiKey({ environment: 'live', id, secret })
    try {
      node.apiKeys.judge.authenticate(key, here, startMs)
      return 'none'
    } catch (error) {
      assert.ok(error instanceof Problem)
      // As much work for each, or the time would tell.
      return JSON.stringify([error.code, error.message, error.members, hashed - before])
    }
  })
  assert.deepEqual(
    new Set(answers),
    new Set(['["key-unknown","this node knows no such API key, or its secret or signature does not match",{},1]']),
  )
})

test('a wrong checksum or shape is refused without a hash or a look', async () => {
  let hashed = 0
  await using node = await openTestKeys({
    hashes: (real) => ({ ...real, hashOf: (key) => (hashed++, real.hashOf(key)) }),
  })
  await node.addClient()
  const { text } = await node.issue()
  hashed = 0
  for (const wrong of [text.slice(0, -1), text.replace('live', 'test'), `${text}x`, '', 'cmty_live_x'])
    assert.equal(node.ask(wrong), 'key-malformed')
  assert.equal(hashed, 0)
})

test('a key is over at the very millisecond, and valid from the very millisecond', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const iso = (ms: number) => new Date(ms).toISOString()
  const { text } = await node.issue({ notBefore: iso(startMs + 1_000), expires: iso(startMs + 2_000) })
  const at = (ms: number) => {
    node.clock.nowMs = ms
    return node.ask(text)
  }
  assert.equal(at(startMs + 999), 'key-not-yet-valid')
  assert.equal(at(startMs + 1_000), 'billing')
  assert.equal(at(startMs + 1_999), 'billing')
  assert.equal(at(startMs + 2_000), 'key-expired')
})

test('a key works in its own environment and networks only', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const testing = await node.issue({ environment: 'test' })
  assert.match(testing.text, /^cmty_test_/)
  assert.equal(node.ask(testing.text), 'key-environment')
  assert.equal(node.ask(testing.text, { ...here, environment: 'test' }), 'billing')
  const near = await node.issue({ networks: ['192.0.2.0/24', '2001:db8::/32'] })
  const from = (address: string) => node.ask(near.text, { ...here, address })
  assert.deepEqual(['192.0.2.255', '::ffff:192.0.2.1', '2001:db8::7'].map(from), ['billing', 'billing', 'billing'])
  assert.deepEqual(['192.0.3.0', '2001:db9::7', '::1', ''].map(from), Array(4).fill('key-network'))
})

test('an hmac key is never taken in clear; its MAC key is what its client was told, and admitted like any key', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const { id, text } = await node.issue({ use: 'hmac', sequence: true, networks: ['10.0.0.0/8'] })
  assert.equal(node.ask(text), 'key-use')
  const { judge } = node.apiKeys
  const { secret } = parseApiKey(text)
  const found = judge.macKeyOf(apiKeyName({ environment: 'live', id }))
  assert.equal(Buffer.from(found.secret).toString(), secret)
  assert.equal(found.admit({ ...here, address: '10.1.1.1' }, startMs).sequence, true)
  assert.equal(
    codeOf(() => found.admit(here, startMs)),
    'key-network',
  )
  await node.restart()
  const again = node.apiKeys.judge.macKeyOf(apiKeyName({ environment: 'live', id }))
  assert.deepEqual(Buffer.from(again.secret).toString(), secret, 'after a restart it is derived again')
})

test('the MAC key of a key that is not there, of a plain one and of the other environment is one that nobody has', async () => {
  await using node = await openTestKeys()
  await node.addClient()
  const plain = await node.issue()
  const hmac = await node.issue({ use: 'hmac' })
  const { judge } = node.apiKeys
  const names = ['cmty_live_nobody00', `cmty_live_${plain.id}`, `cmty_test_${hmac.id}`]
  const decoys = names.map((name) => judge.macKeyOf(name))
  for (const decoy of decoys) {
    assert.equal(decoy.secret.length, 32)
    assert.equal(
      codeOf(() => decoy.admit(here, startMs)),
      'key-unknown',
    )
  }
  assert.equal(new Set(decoys.map(({ secret }) => Buffer.from(secret).toString('hex'))).size, 1)
  assert.equal(
    codeOf(() => judge.macKeyOf('did:web:x#k')),
    'key-malformed',
  )
})

test('a key that ends by schedule ends at its sunset, also when nothing can be written, if its successor works', async () => {
  await using node = await openTestKeys()
  await node.addClient({ policies: { overlapDays: 1, retire: 'scheduled' } })
  const [one, two] = [await node.issue(), await node.issue()]
  const { successor } = await node.apiKeys.rotations.rotate(one.id, {}, 'operator')
  await node.apiKeys.rotations.rotate(two.id, { successor: 'claim' }, 'operator')
  const at = (ms: number) => {
    node.clock.nowMs = ms
    return [one.text, successor?.text ?? '', two.text].map((text) => node.ask(text))
  }
  assert.deepEqual(at(startMs + 86_399_999), ['billing', 'billing', 'billing'])
  assert.deepEqual(at(startMs + 86_400_000), ['key-expired', 'billing', 'billing'], 'nobody has claimed the other’s')
  await node.apiKeys.keys.disable(successor?.record.id ?? '', { by: 'operator' })
  assert.deepEqual(at(startMs + 86_400_000), ['billing', 'key-disabled', 'billing'])
})

test('a key of a participant that is no partner any more works nowhere, and works again with the partner', async () => {
  await using node = await openTestKeys()
  await node.addClient({ participant: 'lab' })
  const { id, text } = await node.issue()
  await node.apiKeys.rotations.rotate(id, { successor: 'claim' }, 'operator')
  assert.equal(node.ask(text), 'billing')
  node.partners.delete('did:web:lab.example')
  assert.equal(node.ask(text), 'key-disabled')
  assert.equal(
    codeOf(() => node.apiKeys.judge.readmit(id, here, startMs)),
    'key-disabled',
  )
  node.partners.add('did:web:lab.example')
  assert.equal(node.ask(text), 'billing')
})
