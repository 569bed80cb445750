/** What a key is for follows from the key, never from the message: no `none`, no MAC under a public key, no other curve,
 *  no signature in another encoding. */
import assert from 'node:assert/strict'
import { createHmac, createPublicKey, randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { SigningKey } from '@comity/core/crypto/crypto'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { signSecurityEvent } from '@comity/core/events/security-event'
import { keyRotated } from '@comity/core/events/event-types'
import { codeOf, giveConsent, call, startPersonalNetwork, tokenFor, type PersonalNetwork } from '../personal-network.ts'
import { send, signCall, withField } from '../signed-call.ts'

const p256Order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

describe('a holder', () => {
  let network: PersonalNetwork
  before(async () => {
    network = await startPersonalNetwork()
    await network.agree()
  })
  after(() => network[Symbol.asyncDispose]())

  const own = () => network.recipient.running.parts.foundation.identity.authenticationKey()

  /** The public key in every form in which somebody might take it for a shared secret. */
  function publicForms(key: SigningKey): Buffer[] {
    const jwk = key.publicJwk as { x: string; y?: string }
    const object = createPublicKey({ key: key.publicJwk as never, format: 'jwk' })
    return [
      Buffer.from(JSON.stringify(jwk)),
      Buffer.from(jwk.x, 'base64url'),
      Buffer.concat([Buffer.from(jwk.x, 'base64url'), Buffer.from(jwk.y ?? '', 'base64url')]),
      object.export({ type: 'spki', format: 'der' }),
      Buffer.from(object.export({ type: 'spki', format: 'pem' })),
      Buffer.alloc(0),
    ]
  }

  /** A key that says it is for one algorithm and signs as it likes. */
  const odd = (algorithm: string, sign: (data: string) => Uint8Array): SigningKey =>
    ({ ...own().key, algorithm, publicJwk: own().key.publicJwk, sign }) as unknown as SigningKey

  async function assertNotTaken(key: SigningKey, what: string): Promise<void> {
    const earlier = network.upstream.seen.length
    const answer = await send(network.holder, signCall(network, { as: { keyid: own().keyid, key } }))
    assert.equal(answer.status, 401, `${what}: ${answer.body.toString()}`)
    assert.match(codeOf(answer), /^signature-/)
    assert.equal(network.upstream.seen.length, earlier)
  }

  test('takes no MAC under a public key of the caller, however the key is written', async () => {
    for (const secret of publicForms(own().key)) {
      const mac = (data: string) => new Uint8Array(createHmac('sha256', secret).update(data).digest())
      for (const name of ['hmac-sha256', 'HS256', own().key.algorithm]) await assertNotTaken(odd(name, mac), name)
    }
  })

  test('takes no other algorithm for the key than its own, though the signature is good', async () => {
    const { key } = own()
    const good = (data: string) => key.sign(data)
    const names = ['none', 'ed25519', 'rsa-pss-sha512', 'rsa-v1_5-sha256', 'ecdsa-p384-sha384', 'ECDSA-P256-SHA256', '']
    for (const name of names.filter((each) => each !== key.algorithm)) await assertNotTaken(odd(name, good), name)
    const other = importSigningKey(generatePrivateJwk('ed25519'))
    await assertNotTaken(
      odd(key.algorithm, (data) => other.sign(data)),
      'a signature of another curve',
    )
  })

  test('takes no signature of zeros, none of another length, and none in another encoding', async () => {
    const { key } = own()
    const der = (raw: Uint8Array) => {
      const part = (half: Uint8Array) => Buffer.concat([Buffer.from([2, half.length + 1, 0]), half])
      const body = Buffer.concat([part(raw.subarray(0, 32)), part(raw.subarray(32))])
      return new Uint8Array(Buffer.concat([Buffer.from([0x30, body.length]), body]))
    }
    const shapes: Record<string, (data: string) => Uint8Array> = {
      zeros: () => new Uint8Array(64),
      'the order of the curve': () => {
        const order = Buffer.from(p256Order.toString(16), 'hex')
        return new Uint8Array(Buffer.concat([order, order]))
      },
      nothing: () => new Uint8Array(0),
      'too short': (data) => key.sign(data).subarray(0, 63),
      'too long': (data) => new Uint8Array([...key.sign(data), 0]),
      DER: (data) => der(key.sign(data)),
    }
    for (const [name, sign] of Object.entries(shapes)) await assertNotTaken(odd(key.algorithm, sign), name)
  })

  test('answers the mirrored signature of a captured call as a replay, not as a new call', async () => {
    const signed = signCall(network)
    const raw = Buffer.from(/:([^:]+):/.exec(signed.signature)?.[1] ?? '', 'base64')
    const s = BigInt(`0x${raw.subarray(32).toString('hex')}`)
    const mirrored = Buffer.concat([
      raw.subarray(0, 32),
      Buffer.from((p256Order - s).toString(16).padStart(64, '0'), 'hex'),
    ])
    assert.equal((await send(network.holder, signed)).status, 200)
    const answer = await send(network.holder, withField(signed, 'signature', `comity=:${mirrored.toString('base64')}:`))
    assert.ok(['nonce-replayed', 'signature-invalid'].includes(codeOf(answer)), codeOf(answer))
  })

  const base64url = (text: string) => Buffer.from(text).toString('base64url')

  /** The token with other members in its header, signed in ways that a careless reader takes. */
  function confusions(token: string, signer: SigningKey): Map<string, string> {
    const [head = '', payload = '', signature = ''] = token.split('.')
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>
    const stranger = importSigningKey(generatePrivateJwk('ed25519'))
    const make = (more: object, sign: (input: string) => string) => {
      const input = `${base64url(JSON.stringify({ ...header, ...more }))}.${payload}`
      return `${input}.${sign(input)}`
    }
    const byStranger = (input: string) => Buffer.from(stranger.sign(input)).toString('base64url')
    const made = new Map<string, string>([
      ['none', make({ alg: 'none' }, () => '')],
      ['None', make({ alg: 'None' }, () => '')],
      ['none with a signature', make({ alg: 'none' }, () => signature)],
      ['a key of the message', make({ alg: 'EdDSA', jwk: stranger.publicJwk }, byStranger)],
      ['an address for keys', make({ alg: 'EdDSA', jku: 'https://evil.example/keys' }, byStranger)],
      ['another key’s algorithm', make({ alg: 'EdDSA' }, byStranger)],
      ['a criticality nobody knows', make({ crit: ['x'], x: 1 }, () => signature)],
      ['no payload in it', make({ b64: false, crit: ['b64'] }, () => signature)],
    ])
    for (const [index, secret] of publicForms(signer).entries()) {
      const mac = (input: string) => createHmac('sha256', secret).update(input).digest('base64url')
      made.set(`HS256 ${index}`, make({ alg: 'HS256' }, mac))
    }
    return made
  }

  test('takes no event whose header chooses how it is verified', async () => {
    const signer = network.recipient.running.parts.foundation.identity.assertionKey()
    const iat = Math.floor(network.clock.now() / 1_000)
    const claims = { iss: network.recipient.did, aud: network.holder.did, jti: randomUUID(), iat, toe: iat }
    const token = signSecurityEvent({ ...claims, events: { [keyRotated]: {} } }, signer)
    const post = async (body: string) => {
      const headers = Object.entries({
        host: new URL(network.holder.url).host,
        'content-type': 'application/secevent+jwt',
      })
      return (await send(network.holder, { method: 'POST', target: '/events', headers, body })).status
    }
    for (const [name, forged] of confusions(token, signer.key)) assert.equal(await post(forged), 400, name)
    assert.equal(await post(token), 202)
  })

  test('takes no consent token whose header chooses how it is verified', async () => {
    const authorization = await tokenFor(network, await giveConsent(network))
    const signer = network.holder.running.parts.foundation.identity.assertionKey()
    network.api.called.length = 0
    for (const [name, forged] of confusions(authorization.replace(/^Comity /, ''), signer.key)) {
      const answer = await call(network, { authorization: `Comity ${forged}` })
      assert.ok(answer.status === 401 || answer.status === 403, `${name}: ${codeOf(answer)}`)
    }
    assert.deepEqual(network.api.called, [])
    assert.equal((await call(network, { authorization })).status, 200)
  })
})
