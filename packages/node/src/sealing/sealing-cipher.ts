/** Seals content into an envelope and opens it, by whichever algorithm its header names. */
import { generateKeyPairSync } from 'node:crypto'
import { encodeBase64url } from '@comity/core/bytes/base64url'
import type { RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { encodeHead, type EnvelopeHead, type ParsedEnvelope } from '@comity/core/sealing/sealed-envelope'
import { keyKindOf } from '@comity/core/sealing/sealing-algorithms'
import { decryptContent, ecdhEs, encryptContent, unwrapKey, wrapKey } from './ecdh-es.ts'
import { hpkeHybrid, hpkeOpen, hpkeSeal, hpkeX25519 } from './hpke.ts'
import {
  decapsulateWith,
  encapsulateTo,
  importPublicKey,
  rawPoint,
  type PrivateAgreementKey,
  type PublicAgreementKey,
} from './key-encapsulation.ts'

/** What is to be sealed, for whom. */
export interface ToSeal {
  readonly head: EnvelopeHead
  readonly key: PublicAgreementKey
  readonly plaintext: Uint8Array
}

/** The envelope as text. Throws for a key of another kind than the algorithm's. */
export function sealEnvelope({ head, key, plaintext }: ToSeal, randomBytes: RandomBytes): string {
  if (key.kind !== keyKindOf(head.alg)) throw new Error(`\`${head.kid}\` is not a key for ${head.alg}`)
  return head.alg === ecdhEs.alg ? sealJwe({ head, key, plaintext }, randomBytes) : sealHpke({ head, key, plaintext })
}

/** draft-ietf-jose-hpke-encrypt §5, Integrated Encryption: no content key, IV and tag empty. */
function sealHpke({ head, key, plaintext }: ToSeal): string {
  const suite = head.alg === 'HPKE-9' ? hpkeHybrid : hpkeX25519
  const protectedText = encodeHead(head)
  const { secret, encapsulated } = encapsulateTo(key)
  const ciphertext = hpkeSeal(suite, secret, { aad: Buffer.from(protectedText, 'latin1'), plaintext })
  return `${protectedText}.${encodeBase64url(encapsulated)}..${encodeBase64url(ciphertext)}.`
}

function sealJwe({ head, key, plaintext }: ToSeal, randomBytes: RandomBytes): string {
  const own = generateKeyPairSync('x25519')
  const epk = { kty: 'OKP', crv: 'X25519', x: encodeBase64url(rawPoint(own.publicKey)) }
  const protectedText = encodeHead({ ...head, enc: ecdhEs.enc, epk })
  const contentKey = randomBytes(32)
  const wrapped = wrapKey(contentKey, { privateKey: own.privateKey, publicKey: key.x25519 })
  const aad = Buffer.from(protectedText, 'latin1')
  const { iv, ciphertext, tag } = encryptContent(plaintext, { key: contentKey, iv: randomBytes(12), aad })
  return [protectedText, ...[wrapped, iv, ciphertext, tag].map(encodeBase64url)].join('.')
}

/** The content. Throws `unseal-failed`, the same for whatever the reason is. */
export function openEnvelope(envelope: ParsedEnvelope, key: PrivateAgreementKey): Uint8Array {
  try {
    if (key.kind !== keyKindOf(envelope.alg)) throw new Error('the key is of another kind')
    return envelope.alg === ecdhEs.alg ? openJwe(envelope, key) : openHpke(envelope, key)
  } catch (cause) {
    throw new Problem('unseal-failed', 'the sealed content cannot be opened', { cause })
  }
}

function openHpke(
  { alg, protectedText, encryptedKey, iv, ciphertext, tag }: ParsedEnvelope,
  key: PrivateAgreementKey,
): Uint8Array {
  if (iv.length + tag.length > 0) throw new Error('parts that must be empty are not')
  const suite = alg === 'HPKE-9' ? hpkeHybrid : hpkeX25519
  const secret = decapsulateWith(key, encryptedKey)
  return hpkeOpen(suite, secret, { aad: Buffer.from(protectedText, 'latin1'), ciphertext })
}

function openJwe({ epk, protectedText, encryptedKey, ...parts }: ParsedEnvelope, key: PrivateAgreementKey): Uint8Array {
  if (epk === undefined) throw new Error('there is no ephemeral key')
  const publicKey = importPublicKey('X25519', epk).x25519
  const contentKey = unwrapKey(encryptedKey, { privateKey: key.x25519, publicKey })
  return decryptContent(parts, { key: contentKey, aad: Buffer.from(protectedText, 'latin1') })
}
