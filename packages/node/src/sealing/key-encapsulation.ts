/** Key encapsulation on the primitives of `node:crypto`: X25519 as RFC 9180 has it (DHKEM), and MLKEM768-X25519, called
 *  X-Wing (draft-connolly-cfrg-xwing-kem, draft-irtf-cfrg-concrete-hybrid-kems). */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import type { AgreementKeyKind } from '@comity/core/sealing/sealing-algorithms'

/** A public key, imported once and used often. */
export type PublicAgreementKey =
  | { readonly kind: 'X25519'; readonly x25519: KeyObject }
  | {
      readonly kind: 'MLKEM768-X25519'
      readonly mlkem: KeyObject
      readonly x25519: KeyObject
      readonly point: Uint8Array
    }

/** A private key with its public part. */
export type PrivateAgreementKey = PublicAgreementKey & { readonly public: PublicAgreementKey }

/** A fresh shared secret of 32 bytes, and what lets the other side compute it. */
export interface Encapsulation {
  readonly secret: Uint8Array
  readonly encapsulated: Uint8Array
}

const mlkemCiphertextBytes = 1088
const mlkemPublicBytes = 1184
const pointBytes = 32

/** DER up to the raw key (RFC 8410, RFC 9935): the keys are fixed in length, so what stands before them is too. */
const der = {
  x25519Public: Buffer.from('302a300506032b656e032100', 'hex'),
  x25519Private: Buffer.from('302e020100300506032b656e04220420', 'hex'),
  mlkemPublic: Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex'),
  mlkemSeed: Buffer.from('3054020100300b060960864801650304040204428040', 'hex'),
}

const publicKey = (prefix: Buffer, raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'spki' })
const privateKey = (prefix: Buffer, raw: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([prefix, raw]), format: 'der', type: 'pkcs8' })

/** The key of raw bytes: a point, or ML-KEM-768's key and then a point. Throws when they are none. */
export function importPublicKey(kind: AgreementKeyKind, raw: Uint8Array): PublicAgreementKey {
  if (kind === 'X25519') return { kind, x25519: publicKey(der.x25519Public, raw) }
  const point = raw.slice(mlkemPublicBytes)
  const mlkem = publicKey(der.mlkemPublic, raw.subarray(0, mlkemPublicBytes))
  return { kind, mlkem, x25519: publicKey(der.x25519Public, point), point }
}

/** The key of 32 secret bytes: an X25519 scalar, or the seed from which both parts of the hybrid key follow. */
export function importPrivateKey(kind: AgreementKeyKind, secret: Uint8Array): PrivateAgreementKey {
  if (kind === 'X25519') {
    const x25519 = privateKey(der.x25519Private, secret)
    return { kind, x25519, public: { kind, x25519: createPublicKey(x25519) } }
  }
  const expanded = createHash('shake256', { outputLength: 96 }).update(secret).digest()
  const mlkem = privateKey(der.mlkemSeed, expanded.subarray(0, 64))
  const x25519 = privateKey(der.x25519Private, expanded.subarray(64))
  const point = rawPoint(createPublicKey(x25519))
  const own = { kind, mlkem: createPublicKey(mlkem), x25519: createPublicKey(x25519), point } as const
  return { kind, mlkem, x25519, point, public: own }
}

/** The raw bytes that `importPublicKey` reads. */
export function rawPublicKey(key: PublicAgreementKey): Uint8Array {
  if (key.kind === 'X25519') return rawPoint(key.x25519)
  return Buffer.concat([key.mlkem.export({ format: 'der', type: 'spki' }).subarray(-mlkemPublicBytes), key.point])
}

/** The 32 bytes of an X25519 public key. */
export function rawPoint(key: KeyObject): Uint8Array {
  return key.export({ format: 'der', type: 'spki' }).subarray(-pointBytes)
}

/** A secret for the key's owner alone. Throws for a key with which the secret would be no secret. */
export function encapsulateTo(key: PublicAgreementKey): Encapsulation {
  // OpenSSL's encapsulation with an X25519 key is DHKEM(X25519, HKDF-SHA256) of RFC 9180 §4.1.
  if (key.kind === 'X25519') return named(encapsulate(key.x25519))
  const kem = named(encapsulate(key.mlkem))
  const own = generateKeyPairSync('x25519')
  const shared = diffieHellman({ publicKey: key.x25519, privateKey: own.privateKey })
  const point = rawPoint(own.publicKey)
  const secret = combine({ kem: kem.secret, shared, point, recipient: key.point })
  return { secret, encapsulated: Buffer.concat([kem.encapsulated, point]) }
}

/** The secret that `encapsulateTo` made. Throws for a point of small order or another length; ML-KEM itself answers what
 *  was altered with another secret (FIPS 203 §6.3), which opens nothing. */
export function decapsulateWith(key: PrivateAgreementKey, encapsulated: Uint8Array): Uint8Array {
  if (key.kind === 'X25519') {
    if (encapsulated.length !== pointBytes) throw new Error('the encapsulated key has another length')
    return decapsulate(key.x25519, encapsulated)
  }
  if (encapsulated.length !== mlkemCiphertextBytes + pointBytes) {
    throw new Error('the encapsulated key has another length')
  }
  const kem = decapsulate(key.mlkem, encapsulated.subarray(0, mlkemCiphertextBytes))
  const point = encapsulated.subarray(mlkemCiphertextBytes)
  const shared = diffieHellman({ publicKey: publicKey(der.x25519Public, point), privateKey: key.x25519 })
  return combine({ kem, shared, point, recipient: key.point })
}

function named({ sharedKey, ciphertext }: { sharedKey: Buffer; ciphertext: Buffer }): Encapsulation {
  return { secret: sharedKey, encapsulated: ciphertext }
}

const label = Buffer.from('\\.//^\\')

interface Shares {
  readonly kem: Uint8Array
  readonly shared: Uint8Array
  readonly point: Uint8Array
  readonly recipient: Uint8Array
}

/** X-Wing §5.3: whoever knows only one of the two secrets knows nothing. */
function combine({ kem, shared, point, recipient }: Shares): Buffer {
  return createHash('sha3-256').update(kem).update(shared).update(point).update(recipient).update(label).digest()
}
