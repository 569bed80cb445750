/** Checkpoints (c2sp.org/tlog-checkpoint): a log's signed statement of its size and root hash.
 *
 *      node.example.org/log                            origin
 *      70000                                           tree size
 *      o+I7Msy2v5bQktFl2KpUbgmCnejwOw6JV1gdHha5K98=    root hash */
import { decodeBase64, encodeBase64 } from '../bytes/base64.ts'
import { Problem } from '../problems.ts'
import { hashBytes } from './merkle.ts'
import { openNote, signNote, type NoteSignature, type NoteSigner, type NoteVerifier } from './note.ts'

/** A tree head. `rootHash` is 32 bytes. */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly rootHash: Uint8Array
  /** Lines after the root hash, opaque. Comity writes none. */
  readonly extensions: readonly string[]
}

/** Note text of a checkpoint without extension lines. */
export function formatCheckpoint(checkpoint: Pick<Checkpoint, 'origin' | 'size' | 'rootHash'>): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${encodeBase64(checkpoint.rootHash)}\n`
}

/** Reads the note text of a checkpoint. Throws `malformed-checkpoint` when a line is missing or empty, the size is
 *  not canonical decimal (or over 2⁵³ − 1), or the root hash is not 32 bytes of base64. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, decimal, root, ...rest] = text.split('\n')
  if (!origin || decimal === undefined || root === undefined || rest.pop() !== '' || rest.includes(''))
    throw malformed('a checkpoint has an origin, a size and a root hash, one a line')
  const size = Number(decimal)
  if (!/^(?:0|[1-9]\d*)$/.test(decimal) || !Number.isSafeInteger(size))
    throw malformed(`\`${decimal.slice(0, 40)}\` is not a tree size`)
  return { origin, size, rootHash: parseRoot(root), extensions: rest }
}

function parseRoot(text: string): Uint8Array {
  try {
    const root = decodeBase64(text)
    if (root.length === hashBytes) return root
  } catch {
    // Answered below: not base64 and the wrong length are one mistake to the reader.
  }
  throw malformed('the root hash is not 32 bytes of base64')
}

/** Signs a checkpoint as a note. */
export function signCheckpoint(
  checkpoint: Pick<Checkpoint, 'origin' | 'size' | 'rootHash'>,
  signers: readonly NoteSigner[],
): string {
  return signNote(formatCheckpoint(checkpoint), signers)
}

/** A checkpoint that verified, and the cosignatures of given witnesses that did. */
export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint
  /** The note's text, which cosignatures cover. */
  readonly text: string
  readonly cosignatures: readonly NoteSignature[]
}

/** Verifies a checkpoint by its log's key, whose name must be the origin, and by those witnesses' keys that signed
 *  it. Throws `malformed-note`, `malformed-checkpoint`, `note-unverified`. */
export function openCheckpoint(
  note: string,
  log: NoteVerifier,
  witnesses: readonly NoteVerifier[] = [],
): OpenedCheckpoint {
  const { text, signatures } = openNote(note, [log, ...witnesses])
  const byLog = ({ name, keyId }: NoteSignature) => name === log.name && keyId === log.keyId
  if (!signatures.some(byLog)) throw new Problem('note-unverified', `\`${log.name}\` did not sign the checkpoint`)
  const checkpoint = parseCheckpoint(text)
  if (checkpoint.origin !== log.name)
    throw new Problem('note-unverified', `the checkpoint is of \`${checkpoint.origin}\`, not of \`${log.name}\``)
  return { checkpoint, text, cosignatures: signatures.filter((signature) => !byLog(signature)) }
}

function malformed(detail: string): Problem {
  return new Problem('malformed-checkpoint', detail)
}
