/** Evidence of one exchange: all that either side needs to prove it to a stranger, offline, in one JSON document.
 *
 *      { "type": "comity-exchange-evidence", "version": 1,
 *        "request": { "base": "\"@method\": GET\n…", "signature": "…base64url…" },
 *        "response": { "base": "\"@status\": 200\n…", "signature": "…" },
 *        "receipt": "eyJ…", "event": { "body": "{\"type\":\"exchange\",…}", "salt": "…" },
 *        "log": { "verifierKey": "federation.example/log+…", "proof": "c2sp.org/tlog-proof@v1\n…" },
 *        "documents": [ { "id": "did:web:federation.example", … }, { "id": "did:web:lab.example", … } ] }
 *
 *  Of an exchange with sealed contents also `"sealed": { "response": { "salt": "…", "fields": "{…}", "bodyHash": "…" } }`:
 *  with it the receipt's commitment is one to exactly that content.
 *
 *  When the person that the exchange was about has been erased, `request`, `response` and `event` are not there and
 *  `erased` names them; receipt and log entry verify as before. */
import type { DidDocument } from '../identity/did-document.ts'
import { parseEvidence, type EvidenceBundle } from './evidence-bundle.ts'
import { EvidenceChecks, type EvidenceCheck } from './evidence-checks.ts'
import { EvidenceDocuments } from './evidence-documents.ts'
import { checkLog } from './evidence-log.ts'
import { checkContents, checkSealed } from './evidence-sealed.ts'
import { checkParts, isCompositeReceipt } from './evidence-parts.ts'
import { checkReceipt, checkRequest, checkResponse } from './evidence-signatures.ts'
import type { ReceiptClaims } from './receipt.ts'

/** What a bundle proves. */
export interface EvidenceReport {
  /** True when every check that could be made was good; those that are marked `erased` could not. */
  readonly ok: boolean
  readonly checks: readonly EvidenceCheck[]
  /** What the reader must take on trust or look up: sentences. */
  readonly assumptions: readonly string[]
  /** What the receipt says; absent when it does not verify. */
  readonly claims?: ReceiptClaims
}

/** What the verifier already trusts. */
export interface EvidenceOptions {
  /** DID documents that the verifier fetched itself; they count before those of the bundle. */
  readonly documents?: readonly DidDocument[]
  /** Verifier key of the holder's log, when the verifier knows it from elsewhere. */
  readonly verifierKey?: string
  /** The answer's content, and the body of the request, when the verifier was given them: what is checked is that the
   *  exchange was about exactly these. */
  readonly answer?: Uint8Array
  readonly body?: Uint8Array
}

/** Checks the parts of a bundle against each other and against the keys of both participants. Never throws for what
 *  a bundle holds: every flaw is a failed check. */
export function verifyEvidence(bundle: unknown, options: EvidenceOptions = {}): EvidenceReport {
  const checks = new EvidenceChecks()
  const parsed = checks.run('bundle', () => ['the bundle is well formed', parseEvidence(bundle)])
  const claims = parsed && verifyParts(parsed, options, checks)
  return {
    ok: checks.made.every(({ ok, erased }) => ok || erased === true),
    checks: checks.made,
    assumptions: checks.assumptions,
    ...(claims && { claims }),
  }
}

function verifyParts(
  bundle: EvidenceBundle,
  options: EvidenceOptions,
  checks: EvidenceChecks,
): ReceiptClaims | undefined {
  const documents = new EvidenceDocuments(bundle.documents, options.documents ?? [], checks)
  const claims = checkReceipt(bundle.receipt, documents, checks)
  if (claims === undefined) return undefined
  const part = { bundle, claims, documents, checks, trustedVerifierKey: options.verifierKey }
  checkRequest(part)
  checkResponse(part)
  checkSealed(part)
  const { answer, ...others } = options
  // Of a composite, which the application reads in another shape than the nodes, each slice is held by itself.
  checkContents(part, isCompositeReceipt(claims) ? others : options)
  checkParts(claims, { answer, event: bundle.event?.body }, checks)
  checkLog(part)
  return claims
}
