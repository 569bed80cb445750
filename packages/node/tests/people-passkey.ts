/** A passkey made of a key and a few bytes, as an authenticator makes them (W3C Web Authentication Level 3, §6), so that
 *  passkeys are tested without a browser. */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest()
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

/** CBOR (RFC 8949) of what is needed here: integers, bytes, texts, maps. */
function cbor(value: number | string | Uint8Array | Map<number | string, unknown>): Buffer {
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  const pairs = [...value].flatMap(([key, member]) => [cbor(key), cbor(member as number)])
  return Buffer.concat([head(5, value.size), ...pairs])
}

function head(major: number, count: number): Buffer {
  if (count < 24) return Buffer.of((major << 5) | count)
  return count < 256 ? Buffer.of((major << 5) | 24, count) : Buffer.of((major << 5) | 25, count >> 8, count & 0xff)
}

export interface PasskeyPlace {
  readonly origin: string
  readonly rpId: string
}

const present = 0x01
const verified = 0x04
const attested = 0x40

/** A device with one passkey. */
export class TestPasskey {
  readonly id = randomBytes(32)
  readonly #key: KeyObject
  readonly #publicKey: KeyObject
  readonly #place: PasskeyPlace
  counter = 0

  /** With a key of P-256, as most devices make, or of RSA with so many bits. */
  constructor(place: PasskeyPlace, rsaBits?: number) {
    const { privateKey, publicKey } =
      rsaBits === undefined
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: rsaBits })
    this.#key = privateKey
    this.#publicKey = publicKey
    this.#place = place
  }

  /** What `navigator.credentials.create` gives, as JSON. */
  register(options: { readonly challenge: string }): unknown {
    const credential = Buffer.concat([Buffer.alloc(16), Buffer.of(0, this.id.length), this.id, cbor(this.#coseKey())])
    const authData = Buffer.concat([this.#data(present | verified | attested), credential])
    const attestationObject = cbor(
      new Map<string, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', authData],
      ]),
    )
    const clientData = this.#clientData('webauthn.create', options.challenge)
    return this.#response({
      clientDataJSON: clientData.toString('base64url'),
      attestationObject: attestationObject.toString('base64url'),
      transports: ['internal'],
    })
  }

  /** What `navigator.credentials.get` gives, as JSON. */
  sign(options: { readonly challenge: string }): unknown {
    this.counter += 1
    const authenticatorData = this.#data(present | verified)
    const clientData = this.#clientData('webauthn.get', options.challenge)
    const signature = sign('sha256', Buffer.concat([authenticatorData, sha256(clientData)]), this.#key)
    return this.#response({
      clientDataJSON: clientData.toString('base64url'),
      authenticatorData: authenticatorData.toString('base64url'),
      signature: signature.toString('base64url'),
    })
  }

  /** RFC 9053 §7.1, RFC 8230 §4. */
  #coseKey(): Map<number, unknown> {
    const { x, y, n, e } = this.#publicKey.export({ format: 'jwk' })
    const bytes = (text = ''): Buffer => Buffer.from(text, 'base64url')
    return new Map<number, unknown>(
      n === undefined
        ? [
            [1, 2],
            [3, -7],
            [-1, 1],
            [-2, bytes(x)],
            [-3, bytes(y)],
          ]
        : [
            [1, 3],
            [3, -257],
            [-1, bytes(n)],
            [-2, bytes(e)],
          ],
    )
  }

  #data(flags: number): Buffer {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(this.counter)
    return Buffer.concat([sha256(this.#place.rpId), Buffer.of(flags), counter])
  }

  #clientData(type: string, challenge: string): Buffer {
    return json({ type, challenge, origin: this.#place.origin, crossOrigin: false })
  }

  #response(response: Record<string, unknown>): unknown {
    const id = this.id.toString('base64url')
    return { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response }
  }
}
