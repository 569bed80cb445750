/** The holder's log in a bundle of evidence: the event that the entry commits to, and the entry's place under a
 *  checkpoint signed by the log's key, which the holder's DID document names. */
import { openCheckpoint } from '../audit-log/checkpoint.ts'
import { eventCommitment, eventEntry } from '../audit-log/event-commitment.ts'
import { leafHash, verifyInclusion } from '../audit-log/merkle.ts'
import { ed25519NoteVerifier } from '../audit-log/note.ts'
import { parseTlogProof } from '../audit-log/tlog-proof.ts'
import { parseVerifierKey } from '../audit-log/verifier-key.ts'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { findService } from '../identity/did-document.ts'
import { Problem } from '../problems.ts'
import { checkReceiptMatchesEvent, parseExchangeEvent } from './event.ts'
import type { EvidencePart } from './evidence-signatures.ts'

const failed = (detail: string) => new Problem('proof-invalid', detail)

/** Checks event and log; what the bundle leaves out becomes an assumption. */
export function checkLog(part: EvidencePart): void {
  checkEvent(part)
  const { bundle, claims, checks } = part
  const { log } = bundle
  if (log === undefined) {
    checks.assume(`the bundle holds no proof that the log \`${claims.log}\` has the exchange`)
    return
  }
  checks.run('log-key', () => {
    const named = part.trustedVerifierKey ?? verifierKeyOf(part)
    if (named === undefined) {
      checks.assume(`\`${log.verifierKey}\` is the key of the log \`${claims.log}\`: no DID document names it`)
    } else if (named !== log.verifierKey) {
      throw failed('the key of the log is not the one that the holder names')
    }
    if (parseVerifierKey(log.verifierKey).name !== claims.log)
      throw failed('the key is for another log than the receipt names')
    return [
      `the log \`${claims.log}\` is ${named === undefined ? 'the one that the receipt names' : "the holder's"}`,
      undefined,
    ]
  })
  checks.run('log-inclusion', () => {
    const { index, hashes, checkpoint: note } = parseTlogProof(log.proof)
    const verifier = ed25519NoteVerifier(parseVerifierKey(log.verifierKey))
    const { size, rootHash } = openCheckpoint(note, verifier).checkpoint
    const leaf = decodeBase64url(claims.leaf)
    verifyInclusion({ index, size, leafHash: leaf, root: rootHash, proof: hashes })
    return [`the exchange is entry ${index} of the log's ${size}, under a signed checkpoint`, undefined]
  })
}

function checkEvent({ bundle, claims, checks }: EvidencePart): void {
  const { event, erased } = bundle
  if (erased?.includes('event') === true) {
    checks.erase("the event's text", ['event-leaf', 'event-receipt'])
    return
  }
  if (event === undefined) {
    checks.assume('the bundle does not open the log entry: only its hash is known')
    return
  }
  checks.run('event-leaf', () => {
    const entry = eventEntry(eventCommitment(event.body, decodeBase64url(event.salt)))
    if (encodeBase64url(leafHash(entry)) !== claims.leaf) throw failed('the event is not the one in the log')
    return ['the log entry commits to exactly this event', undefined]
  })
  checks.run('event-receipt', () => {
    const differing = checkReceiptMatchesEvent(claims, parseExchangeEvent(event.body))
    if (differing.length > 0) throw failed(`event and receipt disagree on ${differing.join(', ')}`)
    return ['the event says what the receipt says', undefined]
  })
}

/** The key that the holder's document names; undefined for a did:key or did:jwk, whose document is the key alone. */
function verifierKeyOf({ claims, documents }: EvidencePart): string | undefined {
  const key = findService(documents.document(claims.iss), 'ComityLog')?.['verifierKey']
  if (typeof key === 'string') return key
  if (/^did:(?:key|jwk):/.test(claims.iss)) return undefined
  throw failed(`the DID document of \`${claims.iss}\` names no key of its log`)
}
