/** Proofs that travel (c2sp.org/tlog-proof): all that is needed, beside the entry and the log's key, to verify
 *  offline that the entry is in the log.
 *
 *      c2sp.org/tlog-proof@v1
 *      extra aGVsbG8=                                  optional, not authenticated
 *      index 5
 *      EeH1WCI/THG2vhzs/R8N6HFG0llId8J7KexRn5BAITw=    inclusion proof, leaf to root, one hash a line
 *                                                      one empty line
 *      …the signed checkpoint, verbatim… */
import { decodeBase64, encodeBase64 } from '../bytes/base64.ts'
import { Problem } from '../problems.ts'
import { openCheckpoint, type OpenedCheckpoint } from './checkpoint.ts'
import { hashBytes, leafHash, verifyInclusion } from './merkle.ts'
import type { NoteVerifier } from './note.ts'

const header = 'c2sp.org/tlog-proof@v1'
const maxProofHashes = 64

/** A proof taken apart; nothing is verified. */
export interface TlogProof {
  readonly index: number
  readonly hashes: readonly Uint8Array[]
  /** The signed checkpoint note. */
  readonly checkpoint: string
  readonly extra?: Uint8Array
}

/** Writes a proof. */
export function formatTlogProof(proof: TlogProof): string {
  const lines = [header]
  if (proof.extra !== undefined) lines.push(`extra ${encodeBase64(proof.extra)}`)
  lines.push(`index ${proof.index}`, ...proof.hashes.map(encodeBase64))
  return `${lines.join('\n')}\n\n${proof.checkpoint}`
}

/** Reads a proof. Throws `proof-invalid`. */
export function parseTlogProof(text: string): TlogProof {
  const split = text.indexOf('\n\n')
  if (split < 0) throw invalid('the proof holds no checkpoint')
  const lines = text.slice(0, split).split('\n')
  if (lines.shift() !== header) throw invalid('the text is not a log proof')
  const extra = lines[0]?.startsWith('extra ') ? readBase64(lines.shift()!.slice(6)) : undefined
  const index = readIndex(lines.shift())
  if (lines.length > maxProofHashes) throw invalid('the proof has too many hashes')
  return {
    index,
    hashes: lines.map(readHash),
    checkpoint: text.slice(split + 2),
    ...(extra === undefined ? {} : { extra }),
  }
}

function readIndex(line: string | undefined): number {
  const decimal = /^index (0|[1-9]\d*)$/.exec(line ?? '')?.[1]
  const index = Number(decimal)
  if (decimal === undefined || !Number.isSafeInteger(index)) throw invalid('the proof states no index')
  return index
}

function readHash(line: string): Uint8Array {
  const hash = readBase64(line)
  if (hash.length !== hashBytes) throw invalid('a hash of the proof is not 32 bytes')
  return hash
}

function readBase64(text: string): Uint8Array {
  try {
    return decodeBase64(text)
  } catch (cause) {
    throw new Problem('proof-invalid', 'a line of the proof is not base64', { cause })
  }
}

/** Verifies that the entry is in the log: the checkpoint by the log's key, and the entry's place under its root.
 *  Gives the checkpoint, with those cosignatures of the given witnesses that it carries: how many are enough is
 *  the caller's policy. Throws `proof-invalid`, `malformed-note`, `malformed-checkpoint`, `note-unverified`. */
export function verifyTlogProof(
  proof: TlogProof,
  entry: Uint8Array,
  keys: { log: NoteVerifier; witnesses?: readonly NoteVerifier[] },
): OpenedCheckpoint {
  const opened = openCheckpoint(proof.checkpoint, keys.log, keys.witnesses)
  const { size, rootHash } = opened.checkpoint
  verifyInclusion({ index: proof.index, size, leafHash: leafHash(entry), root: rootHash, proof: proof.hashes })
  return opened
}

function invalid(detail: string): Problem {
  return new Problem('proof-invalid', detail)
}
