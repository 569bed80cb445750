/** What in the documents of a bundle proves itself: chains of records and steps, evidence of exchanges, receipts. Pure. */
import { z } from 'zod'
import { parseJson } from '../bytes/json.ts'
import { parseConsentEvent, parseConsentRecord, verifyEventChain, verifyRecordChain } from '../consent/parse-record.ts'
import { parseDutyReceipt } from '../duties/duty-receipt.ts'
import { verifyEvidence } from '../exchange/evidence.ts'
import type { DidDocument } from '../identity/did-document.ts'
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

/** Checks the documents (name → text) of a bundle that was verified; `holder` is the DID document of who signed it. */
export function checkRightsDocuments(
  documents: Readonly<Record<string, string>>,
  holder: DidDocument,
): CheckedDocuments {
  const found: Found = { checks: [], failures: [], cautions: [] }
  for (const [name, text] of Object.entries(documents)) checkDocument(found, { name, text, holder })
  return found
}

interface Signed {
  readonly name: string
  readonly text: string
  readonly holder: DidDocument
}

function checkDocument(found: Found, { name, text, holder }: Signed): void {
  try {
    const value = parseJson(text)
    if (name === 'consents.json') checkConsents(found, value)
    if (name === 'outcome.json') readReceipts(found, value)
    if (name.startsWith('evidence-')) checkEvidence(found, name, { value, holder })
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
    checks.push(`${id}: ${records.length} revisions and ${events.length} steps, each in one chain`)
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
  recipients: z.array(z.looseObject({ debtor: z.string(), receipt: z.string().optional() })),
})

/** Whose receipts they are, the keys of others say: those are checked with their documents. */
function readReceipts({ checks, failures, cautions }: Found, value: unknown): void {
  const receipts = outcomeSchema.parse(value).recipients.filter(({ receipt }) => receipt !== undefined)
  for (const { debtor, receipt = '' } of receipts) {
    const { iss, outcome, kind } = parseDutyReceipt(receipt).claims
    if (iss === debtor) checks.push(`${debtor} says: ${kind}, ${outcome}`)
    else failures.push(`the receipt of ${debtor} is of ${iss}`)
  }
  if (receipts.length > 0) cautions.push('the receipts of others are verified by `comity verify duty`')
}
