/** Signed notes (c2sp.org/signed-note): a text and the signatures of some keys over it.
 *
 *      example.com/log                          the text: any lines, the last newline included
 *      42
 *      o+I7Msy2v5bQktFl2KpUbgmCnejwOw6JV1gdHha5K98=
 *                                               one empty line
 *      — example.com/log Uw2QOkn8srV1…          base64(key ID ‖ signature), one line for each key */
import { importVerifyingKey } from '#crypto'
import { decodeBase64, encodeBase64 } from '../bytes/base64.ts'
import { encodeBase64url } from '../bytes/base64url.ts'
import type { SigningKey } from '../crypto/crypto.ts'
import { Problem } from '../problems.ts'
import { ed25519Type, isKeyName, verifierKey, type VerifierKey } from './verifier-key.ts'

const dash = '\u2014'
const keyIdBytes = 4
const maxNoteLength = 1_000_000
const maxSignatures = 100

/** One signature line; `signature` is without the key ID. */
export interface NoteSignature {
  readonly name: string
  readonly keyId: number
  readonly signature: Uint8Array
}

/** A note taken apart; nothing is verified. `text` ends with a newline. */
export interface ParsedNote {
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** A key that is trusted for notes. */
export interface NoteVerifier {
  readonly name: string
  readonly keyId: number
  verify(text: string, signature: Uint8Array): boolean
}

/** A key that signs notes. */
export interface NoteSigner {
  readonly name: string
  readonly keyId: number
  sign(text: string): Uint8Array
}

/** Takes a note apart. Throws `malformed-note` for anything that the format does not allow, a control character,
 *  no signature, or more than a hundred. */
export function parseNote(note: string): ParsedNote {
  if (note.length > maxNoteLength) throw malformed('the note is too long')
  if (!note.isWellFormed() || hasControlCharacter(note)) throw malformed('the note has a forbidden character')
  const split = note.lastIndexOf('\n\n')
  if (split < 0 || !note.endsWith('\n')) throw malformed('the note has no signatures')
  const lines = note.slice(split + 2, -1).split('\n')
  if (lines.length > maxSignatures) throw malformed('the note has too many signatures')
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignatureLine) }
}

function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x20 && unit !== 0x0a) return true
  }
  return false
}

/** Reads one signature line, without its newline. Throws `malformed-note`. */
export function parseSignatureLine(line: string): NoteSignature {
  const [start, name = '', encoded = '', ...more] = line.split(' ')
  if (start !== dash || !isKeyName(name) || more.length > 0) throw malformed('a signature line cannot be read')
  const bytes = signatureBytes(encoded)
  if (bytes.length <= keyIdBytes) throw malformed('a signature is too short')
  const keyId = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  return { name, keyId, signature: bytes.subarray(keyIdBytes) }
}

function signatureBytes(encoded: string): Uint8Array {
  try {
    return decodeBase64(encoded)
  } catch (cause) {
    throw malformed('a signature is not base64', cause)
  }
}

/** Writes one signature line, newline included. */
export function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  const bytes = new Uint8Array(keyIdBytes + signature.length)
  new DataView(bytes.buffer).setUint32(0, keyId)
  bytes.set(signature, keyIdBytes)
  return `${dash} ${name} ${encodeBase64(bytes)}\n`
}

/** Signs a text, which must end with a newline, with each of the keys. Throws `malformed-note`. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!text.endsWith('\n') || !text.isWellFormed() || hasControlCharacter(text))
    throw malformed('the text cannot be a note')
  const lines = signers.map((signer) =>
    formatSignatureLine({ name: signer.name, keyId: signer.keyId, signature: signer.sign(text) }),
  )
  return `${text}\n${lines.join('')}`
}

/** Takes a note apart and verifies it: signatures of keys that are not given are ignored; one of a given key that
 *  fails rejects the note, and so does a note that none of them signed. Gives the text and the signatures that
 *  verified, one for each key. Throws `malformed-note`, `note-unverified`. */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): ParsedNote {
  const { text, signatures } = parseNote(note)
  const verified = new Map<NoteVerifier, NoteSignature>()
  for (const signature of signatures) {
    const verifier = verifiers.find(({ name, keyId }) => name === signature.name && keyId === signature.keyId)
    if (verifier === undefined || verified.has(verifier)) continue
    if (!verifier.verify(text, signature.signature))
      throw new Problem('note-unverified', `the signature of \`${verifier.name}\` does not verify`)
    verified.set(verifier, signature)
  }
  if (verified.size === 0) throw new Problem('note-unverified', 'no known key signed the note')
  return { text, signatures: [...verified.values()] }
}

/** Signs notes with an Ed25519 key under a name (type 0x01). Throws `malformed-key` for another kind of key. */
export function ed25519NoteSigner(name: string, key: SigningKey): NoteSigner {
  const { keyId } = verifierKey(name, key.publicJwk)
  return { name, keyId, sign: (text) => key.sign(text) }
}

/** Verifies signatures of type 0x01. Throws `malformed-key` for a verifier key of another type. */
export function ed25519NoteVerifier(key: VerifierKey): NoteVerifier {
  if (key.type !== ed25519Type) throw new Problem('malformed-key', `\`${key.name}\` is not an Ed25519 note key`)
  const verifying = importVerifyingKey({ kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(key.publicKey) })
  return { name: key.name, keyId: key.keyId, verify: (text, signature) => verifying.verify(text, signature) }
}

function malformed(detail: string, cause?: unknown): Problem {
  return new Problem('malformed-note', detail, { cause })
}
