/** Replaces keys without an outage. A rotation only writes times; from then on the clock does the rest:
 *
 *      now            + publishForMs          + overlapMs
 *      successor published   successor signs,       predecessor retired
 *                            both are accepted
 *
 *  `publishForMs` gives partners time to read the document: for signing keys more than the interval in which they look
 *  for unknown keys (10 s), for TLS keys more than the time for which they remember a document (300 s). */
import type { SignatureAlgorithm } from '@comity/core/crypto/crypto'
import { Problem } from '@comity/core/problems'
import { decideKeyState, signingKey, type KeyPurpose, type NodeKey, type PublicPurpose } from './node-keys.ts'

export interface RotationRequest {
  readonly purposes: readonly PublicPurpose[]
  /** How long the successor is published before it signs. */
  readonly publishForMs: number
  /** How long the predecessor is still accepted after that. */
  readonly overlapMs: number
  /** Of the successors that sign; P-256 unless told. */
  readonly algorithm?: SignatureAlgorithm | undefined
}

/** The keys that are replaced, each once: the key agreement keys go together. */
export function purposesOf({ purposes }: Pick<RotationRequest, 'purposes'>): KeyPurpose[] {
  return [...new Set(purposes)].flatMap((purpose): KeyPurpose[] =>
    purpose === 'keyAgreement' ? ['keyAgreement', 'hybridKeyAgreement'] : [purpose],
  )
}

/** Throws `key-rotation-refused` for what can never be rotated, and while an earlier rotation has not ended. */
export function checkRotation(
  did: string,
  keys: readonly NodeKey[],
  request: RotationRequest & { readonly nowMs: number },
): void {
  for (const purpose of purposesOf(request)) {
    if (purpose === 'log') throw refused('a log keeps its key for life; a new key is a new log, with a name of its own')
    if (did.startsWith('did:key:') && purpose !== 'tls') {
      throw refused('the key of a did:key is the identity itself; a participant that rotates its keys is a did:web')
    }
    const running = keys.find((key) => key.purpose === purpose && isChanging(key, request.nowMs))
    if (running !== undefined) {
      throw refused(`the rotation of the ${purpose} key has not ended yet; \`comity keys list\` tells when it does`)
    }
  }
  if (request.purposes.length === 0) throw refused('no key was named')
  const times = [request.publishForMs, request.overlapMs]
  if (!times.every((time) => Number.isSafeInteger(time) && time >= 0)) {
    throw refused('the times of a rotation are whole milliseconds, zero or more')
  }
}

/** The keys with the successors in their places: each successor takes over from its purpose's signing key. */
export function planRotation(
  keys: readonly NodeKey[],
  successors: readonly NodeKey[],
  { overlapMs, nowMs }: { readonly overlapMs: number; readonly nowMs: number },
): NodeKey[] {
  const predecessors = new Map(successors.map((next) => [signingKey(keys, next.purpose, nowMs), next]))
  const kept = keys.map((key) => {
    const next = predecessors.get(key)
    if (next === undefined) return key
    return { ...key, retiringAtMs: next.activeAtMs, retiredAtMs: next.activeAtMs + overlapMs }
  })
  return [...kept, ...successors]
}

function isChanging(key: NodeKey, nowMs: number): boolean {
  const state = decideKeyState(key, nowMs)
  return state === 'pending' || state === 'retiring'
}

function refused(detail: string): Problem {
  return new Problem('key-rotation-refused', detail)
}
