/** What in the documents of a bundle proves itself: chains of records and steps, evidence of exchanges, receipts. Pure. */
import { z } from 'zod'
import { counted } from '../bytes/counted.ts'
import { parseJson } from '../bytes/json.ts'
import { parseConsentEvent, parseConsentRecord, verifyEventChain, verifyRecordChain } from '../consent/parse-record.ts'
import { importVerifyingKey } from '#crypto'
import { parseDutyReceipt, verifyDutyReceipt } from '../duties/duty-receipt.ts'
import { receiptKeyTime, receiptTimeFault } from '../duties/receipt-times.ts'
import { verifyEvidence } from '../exchange/evidence.ts'
import { findVerificationMethod, type DidDocument } from '../identity/did-document.ts'
import { parseDid } from '../identity/did.ts'
import { didJwkDocument } from '../identity/did-jwk.ts'
import { didKeyDocument } from '../identity/did-key.ts'
import { Problem } from '../problems.ts'

/** Sentences. */
export interface CheckedDocuments {
  readonly checks: readonly string[]
  readonly failures: readonly string[]
  readonly cautions: readonly string[]
}

interface Found {
  readonly checks: string[]
  readonly failures: string[]
  readonly cautions: string[]
}

/** How far the clocks of holder and debtor may differ. */
const skewSeconds = 60

/** Whose keys are known, and what the bundle says of its time. */
export interface KnownDocuments {
  /** When the bundle was signed, in milliseconds since the epoch: nothing in it is later. */
  readonly signedMs: number
  /** Of who signed the bundle. */
  readonly holder: DidDocument
  /** Of those whose receipts are in it; a did:key or did:jwk needs none. */
  readonly debtors?: readonly DidDocument[] | undefined
}

/** Checks the documents (name → text) of a bundle that was verified. */
export function checkRightsDocuments(
  documents: Readonly<Record<string, string>>,
  known: KnownDocuments,
): CheckedDocuments {
  const found: Found = { checks: [], failures: [], cautions: [] }
  for (const [name, text] of Object.entries(documents)) checkDocument(found, { name, text, known })
  return found
}

interface Signed {
  readonly name: string
  readonly text: string
  readonly known: KnownDocuments
}

function checkDocument(found: Found, { name, text, known }: Signed): void {
  try {
    const value = parseJson(text)
    if (name === 'consents.json') checkConsents(found, value)
    if (name === 'outcome.json') checkReceipts(found, value, known)
    if (name.startsWith('evidence-')) checkEvidence(found, name, { value, holder: known.holder })
  } catch (error) {
    if (!(error instanceof Problem || error instanceof z.ZodError)) throw error
    found.failures.push(`${name}: ${error instanceof Problem ? error.message : 'is malformed'}`)
  }
}

const consentsSchema = z.array(
  z.looseObject({ id: z.string(), records: z.array(z.unknown()), events: z.array(z.unknown()) }),
)

function checkConsents({ checks }: Found, value: unknown): void {
  for (const { id, records, events } of consentsSchema.parse(value)) {
    if (records.length > 0) verifyRecordChain(records.map(parseConsentRecord))
    if (events.length > 0) verifyEventChain(events.map(parseConsentEvent))
    checks.push(
      `${id}: ${counted(records.length, 'revision')} and ${counted(events.length, 'step')}, each in one chain`,
    )
  }
}

function checkEvidence(
  { checks, failures }: Found,
  name: string,
  { value, holder }: { readonly value: unknown; readonly holder: DidDocument },
): void {
  const report = verifyEvidence(value, { documents: [holder] })
  if (report.ok) checks.push(`${name}: the exchange is proven`)
  else failures.push(`${name}: ${report.checks.find(({ ok }) => !ok)?.detail ?? 'not proven'}`)
}

const outcomeSchema = z.looseObject({
  recipients: z.array(
    z.looseObject({
      duty: z.string(),
      debtor: z.string(),
      kind: z.string(),
      consent: z.string().optional(),
      outcome: z.string().optional(),
      receipt: z.string().optional(),
    }),
  ),
})

type Reported = z.infer<typeof outcomeSchema>['recipients'][number]

/** What the bundle says of a recipient, its own signed receipt must say. */
function checkReceipts(found: Found, value: unknown, known: KnownDocuments): void {
  for (const reported of outcomeSchema.parse(value).recipients) {
    if (reported.receipt === undefined) continue
    const what = `the receipt of ${reported.debtor} for the duty ${reported.duty}`
    try {
      checkReceipt(found, { ...reported, what, receipt: reported.receipt }, known)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      found.failures.push(`${what}: ${error.message}`)
    }
  }
}

function checkReceipt(
  { checks, cautions }: Found,
  { receipt, what, ...reported }: Reported & { readonly receipt: string; readonly what: string },
  known: KnownDocuments,
): void {
  const parsed = parseDutyReceipt(receipt)
  const { iss, aud, duty, kind, consent, outcome } = parsed.claims
  const isSame = iss === reported.debtor && aud === known.holder.id && duty === reported.duty && kind === reported.kind
  if (!isSame || consent !== reported.consent || outcome !== reported.outcome) {
    throw new Problem('duty-receipt-invalid', 'it says something else than the bundle')
  }
  const document = documentOf(iss, known)
  if (document === undefined) {
    cautions.push(`${what} is not verified: the DID document of ${iss} is not given`)
    return
  }
  const fault = receiptTimeFault(parsed.claims, { nowMs: known.signedMs, skewSeconds })
  if (fault !== undefined) throw new Problem('duty-receipt-invalid', `its time is impossible: ${fault}`)
  const use = { purpose: 'assertionMethod', atMs: receiptKeyTime(parsed.claims) } as const
  const { jwk } = findVerificationMethod(document, parsed.kid, use)
  verifyDutyReceipt(parsed, importVerifyingKey(jwk))
  checks.push(`${what} is signed by ${parsed.kid}: ${kind}, ${outcome}`)
}

/** The document that the DID itself carries, or that is given. */
function documentOf(did: string, { holder, debtors = [] }: KnownDocuments): DidDocument | undefined {
  const { method } = parseDid(did)
  if (method === 'key') return didKeyDocument(did)
  if (method === 'jwk') return didJwkDocument(did)
  return [holder, ...debtors].find(({ id }) => id === did)
}
