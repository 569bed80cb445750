/** A key counts for its owner, its purpose and its time, and for nothing else. */
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { SigningKey } from '@comity/core/crypto/crypto'
import { importSigningKey } from '@comity/core/crypto/crypto-node'
import { didKeyId, didKeyOf } from '@comity/core/identity/did-key'
import { callerKey } from '../consent-chains.ts'
import { startLyingHolder, write } from '../lying-holder.ts'
import { codeOf } from '../personal-network.ts'
import { send, signCall } from '../signed-call.ts'
import { startTestNetwork, testPurpose, type TestNetwork, type TestNode } from '../test-network.ts'

interface NamedKey {
  readonly keyid: string
  readonly key: SigningKey
}

describe('a holder', () => {
  let network: TestNetwork
  let mallory: TestNode
  before(async () => {
    const rememberShortly = (config: Record<string, unknown>) =>
      Object.assign(config['network'] as object, { didCacheSeconds: 10 })
    network = await startTestNetwork({
      holder: (config) => {
        rememberShortly(config)
        Object.assign(config['limits'] as object, { failures: { requests: 10_000, perSeconds: 1 } })
      },
      recipient: rememberShortly,
      others: { mallory: () => {} },
    })
    mallory = network.others['mallory'] as TestNode
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  const identityOf = (node: TestNode) => node.running.parts.foundation.identity
  const statusAs = async (as: NamedKey) => {
    const answer = await send(network.holder, signCall(network, { as }))
    return [answer.status, codeOf(answer)] as const
  }

  test('takes a partner’s key under its own name only', async () => {
    const [theirs, hers] = [callerKey(network.recipient), callerKey(mallory)]
    const fragment = theirs.keyid.slice(theirs.keyid.indexOf('#'))
    for (const [keyid, key] of [
      [theirs.keyid, hers.key],
      [`${mallory.did}${fragment}`, theirs.key],
      [`${network.recipient.did}${fragment.toUpperCase()}`, theirs.key],
      [`${network.holder.did}${fragment}`, theirs.key],
    ] as const) {
      const [status, code] = await statusAs({ keyid, key })
      assert.ok(
        ['signature-invalid', 'key-unknown', 'participant-unknown'].includes(code),
        `${keyid}: ${status} ${code}`,
      )
    }
    // Her own key under her own name is known, and has no agreement.
    assert.deepEqual(await statusAs(hers), [403, 'agreement-required'])
    assert.equal((await statusAs(theirs))[0], 200)
  })

  test('knows a key by its participant: the same key as a did:key is a stranger', async () => {
    const { key } = callerKey(network.recipient)
    const did = didKeyOf(key.publicJwk)
    assert.deepEqual(await statusAs({ keyid: didKeyId(did), key }), [403, 'agreement-required'])
  })

  test('takes for requests no key that is published for another purpose, nor one that is not published', async () => {
    const { recipient } = network
    const identity = identityOf(recipient)
    const pem = createPrivateKey(identity.tls().key).export({ format: 'jwk' })
    const tls = importSigningKey(pem as never)
    const methods = identity.document().verificationMethod?.map(({ id }) => id) ?? []
    const keyids = [...methods, `${recipient.did}#log`, `${recipient.did}#tls`]
    for (const key of [identity.assertionKey().key, identity.logKey(), tls]) {
      for (const keyid of keyids) assert.equal((await statusAs({ keyid, key }))[0], 401, keyid)
    }
    assert.deepEqual(await statusAs(identity.assertionKey()), [401, 'key-unknown'])
  })

  test('takes no key that was retired, from the moment it is', async () => {
    const { recipient, clock } = network
    const old = callerKey(recipient)
    await identityOf(recipient).rotate({
      purposes: ['authentication'],
      publishForMs: 20_000,
      overlapMs: 60_000,
    } as never)
    const moveOn = (ms: number) => {
      clock.offsetMs += ms
      for (const listener of recipient.running.parts.keysChanged.listeners) listener()
    }
    moveOn(30_000)
    assert.notEqual(callerKey(recipient).keyid, old.keyid)
    assert.equal((await statusAs(old))[0], 200, 'both are accepted during the overlap')
    moveOn(70_000)
    assert.deepEqual(await statusAs(old), [401, 'key-unknown'])
    assert.equal((await statusAs(callerKey(recipient)))[0], 200)
  })
})

test('a recipient takes receipts and answers only under the holder’s key for each', async () => {
  await using network = await startTestNetwork()
  const agreement = await network.agree()
  const stranger = callerKey(network.recipient)
  const log = network.holder.running.parts.foundation.identity.logKey()
  await using liar = await startLyingHolder(network, agreement)
  const call = async () => {
    const headers = { 'comity-purpose': testPurpose }
    const answer = await fetch(network.recipient.local('/holder/items/items/7'), { headers })
    return [answer.status, /planted/.test(await answer.text())]
  }
  const { authentication, assertion } = liar.keys
  for (const lie of [
    { receiptKey: authentication },
    { answerKey: assertion },
    { answerKey: stranger },
    { answerKey: { keyid: authentication.keyid, key: log } },
    { receiptKey: { keyid: assertion.keyid, key: log } },
  ]) {
    liar.behave = (request, response) => write(response, liar.answer(request, lie))
    assert.deepEqual(await call(), [502, false])
  }
  liar.behave = (request, response) => write(response, liar.answer(request))
  assert.deepEqual(await call(), [200, true])
})
