/** Builds the evidence of one stored exchange: everything that a stranger needs to check it offline. What cannot be
 *  had now is left out, and said so; what is in always holds. */
import type { EvidenceBundle } from '@comity/core/exchange/evidence-bundle'
import { verifyEvidence } from '@comity/core/exchange/evidence'
import { parseReceipt, type ReceiptClaims } from '@comity/core/exchange/receipt'
import { findService, type DidDocument } from '@comity/core/identity/did-document'
import { Problem } from '@comity/core/problems'
import type { EvidenceExport } from './admin-api.ts'
import type { ExchangeRecord } from './ports.ts'

/** Where an exchange stands in the holder's log, and what its entry commits to, unless that was erased with the person
 *  that it was about; `salt` is base64url. */
export type ExchangeProof = { readonly proof: string } & (
  { readonly body: string; readonly salt: string } | { readonly erased: true }
)

export interface EvidenceSources {
  /** Own DID. */
  readonly did: string
  /** Verifier key of the own log. */
  readonly verifierKey: string
  readonly findExchange: (id: string) => Promise<ExchangeRecord | undefined>
  /** Proof from the own log, by event id. Throws `proof-pending`, `receipt-unknown`. */
  readonly loadProof: (eventId: string) => Promise<ExchangeProof>
  /** Proof from the holder's log, as the holder tells it. Throws what reaching a partner throws, and `proof-pending`. */
  readonly fetchProof: (holder: string, exchangeId: string) => Promise<ExchangeProof>
  /** Verifier key of a log that no DID document names: that of a did:key, as its node tells it. */
  readonly fetchVerifierKey: (holder: string) => Promise<string>
  /** DID document of any participant, the own one too. Throws `did-unresolvable`, `did-invalid`. */
  readonly resolveDocument: (did: string) => Promise<DidDocument>
  readonly sleep: (ms: number) => Promise<void>
}

/** How often a proof that the next checkpoint will cover is asked for, and how long is waited in between. */
const attempts = 4
const pauseMs = 700

/** Makes evidence of an exchange by its own id or the holder's. Throws `receipt-unknown` when there is no such exchange,
 *  or it has no receipt: a denial, or a call by nobody in particular. */
export function createEvidenceExport(sources: EvidenceSources): (id: string) => Promise<EvidenceExport> {
  return async (id) => {
    const exchange = await sources.findExchange(id)
    if (exchange?.receipt === undefined) {
      throw new Problem('receipt-unknown', `no exchange \`${id}\` with a receipt is known here`)
    }
    const { claims } = parseReceipt(exchange.receipt)
    const missing: string[] = []
    const known: EvidenceBundle = {
      type: 'comity-exchange-evidence',
      version: 1,
      ...(exchange.request === undefined ? {} : { request: asked(exchange.request) }),
      ...(exchange.response === undefined ? {} : { response: signed(exchange.response) }),
      receipt: exchange.receipt,
      ...(exchange.sealed && { sealed: exchange.sealed }),
      documents: await documentsOf(claims, sources, missing),
      // The holder keeps no response: its own signature is at the recipient.
      ...(exchange.erased && { erased: erasedParts(exchange.role, claims) }),
    }
    return { id: exchange.id, evidence: await withProof(known, { exchange, claims, sources, missing }), missing }
  }
}

function erasedParts(role: ExchangeRecord['role'], { sea }: ReceiptClaims): NonNullable<EvidenceBundle['erased']> {
  const signatures = role === 'holder' ? (['request'] as const) : (['request', 'response'] as const)
  return sea === undefined ? [...signatures] : [...signatures, 'sealed']
}

const asked = ({ base, signature }: NonNullable<ExchangeRecord['request']>) =>
  signature === undefined ? { base } : { base, signature }

const signed = ({ base, signature }: { readonly base: string; readonly signature: string }) => ({ base, signature })

async function documentsOf(
  { iss, aud }: ReceiptClaims,
  { resolveDocument }: EvidenceSources,
  missing: string[],
): Promise<DidDocument[]> {
  const documents: DidDocument[] = []
  for (const did of new Set([iss, aud])) {
    try {
      documents.push(await resolveDocument(did))
    } catch (error) {
      missing.push(`the DID document of \`${did}\`: ${reasonOf(error)}`)
    }
  }
  return documents
}

interface ProofSearch {
  readonly exchange: ExchangeRecord
  readonly claims: ReceiptClaims
  readonly sources: EvidenceSources
  readonly missing: string[]
}

async function withProof(known: EvidenceBundle, search: ProofSearch): Promise<EvidenceBundle> {
  const { claims, missing } = search
  try {
    const found = await findProof(search)
    const verifierKey = await verifierKeyOf(known, search)
    const log = { verifierKey, proof: found.proof }
    const whole: EvidenceBundle =
      'erased' in found
        ? { ...known, log, erased: [...(known.erased ?? []), 'event'] }
        : { ...known, log, event: { body: found.body, salt: found.salt } }
    // What a partner sends is not passed on unseen: a proof that does not hold would spoil the receipt that does.
    const logChecks = verifyEvidence(whole, { verifierKey }).checks.filter(({ name }) => /^(?:log|event)-/.test(name))
    const fault = logChecks.find(({ ok, erased }) => !ok && erased !== true)
    if (fault === undefined) return whole
    missing.push(`the proof from the log of \`${claims.iss}\` does not hold: ${fault.detail}`)
  } catch (error) {
    missing.push(`the proof from the log of \`${claims.iss}\`: ${reasonOf(error)}`)
  }
  return known
}

async function findProof({ exchange, claims, sources }: ProofSearch): Promise<ExchangeProof> {
  const own = exchange.role === 'holder'
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await (own ? sources.loadProof(exchange.id) : sources.fetchProof(claims.iss, claims.jti))
    } catch (error) {
      const isPending = error instanceof Problem && error.code === 'proof-pending'
      if (!isPending || attempt === attempts) throw error
      await sources.sleep(pauseMs)
    }
  }
}

async function verifierKeyOf({ documents }: EvidenceBundle, { claims, sources }: ProofSearch): Promise<string> {
  if (claims.iss === sources.did) return sources.verifierKey
  const document = documents.find(({ id }) => id === claims.iss) as DidDocument | undefined
  const named = document === undefined ? undefined : findService(document, 'ComityLog')?.['verifierKey']
  return typeof named === 'string' ? named : sources.fetchVerifierKey(claims.iss)
}

/** Why something could not be had. An error that is not a `Problem` is the node's own and goes on. */
function reasonOf(error: unknown): string {
  if (error instanceof Problem) return error.message
  throw error
}
