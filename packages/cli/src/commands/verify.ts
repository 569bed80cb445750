/** `comity verify`: receipts, logs and whole exchanges, offline from files, or from addresses. Exit code 1 when false. */
import { utf8Text } from '@comity/core/bytes/utf8'
import { openCheckpoint } from '@comity/core/audit-log/checkpoint'
import { verifyLogContent, verifyLogGrowth } from '@comity/core/audit-log/log-reader'
import { importVerifyingKey, sha256Text } from '@comity/core/crypto/crypto-node'
import { verifyEvidence, type EvidenceReport } from '@comity/core/exchange/evidence'
import { EvidenceChecks } from '@comity/core/exchange/evidence-checks'
import { checkParts, isCompositeReceipt } from '@comity/core/exchange/evidence-parts'
import { parseReceipt, verifyParsedReceipt, type ReceiptClaims } from '@comity/core/exchange/receipt'
import { findVerificationMethod, parseDidDocument, type DidDocument } from '@comity/core/identity/did-document'
import { parseDid } from '@comity/core/identity/did'
import { didJwkDocument } from '@comity/core/identity/did-jwk'
import { didKeyDocument } from '@comity/core/identity/did-key'
import { Problem } from '@comity/core/problems'
import { colors } from '../colors.ts'
import { show, type CommandContext } from '../command-context.ts'
import { openLog, readVerifierKey } from '../log-reader.ts'
import { printable } from '../output.ts'
import { readJsonPlace, readPlace, readTextPlace } from '../read-place.ts'

const good = colors.green('✓')
const bad = colors.red('✗')
const gone = colors.dim('∅')

/** A DID document from a file, or from an address whose certificate a public authority signed. */
export async function readDidDocument(place: string): Promise<DidDocument> {
  const text = utf8Text(await readPlace(place, { allowUntrustedTls: false }))
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Problem('did-invalid', `\`${place}\` is not JSON`, { cause })
  }
  return parseDidDocument(value, String((value as { id?: unknown } | null)?.id ?? ''))
}

/** The document of the DID that is given, or that the DID itself carries. */
export async function holderDocument(did: string, place: string | undefined): Promise<DidDocument> {
  if (place !== undefined) return readDidDocument(place)
  const { method } = parseDid(did)
  if (method === 'key') return didKeyDocument(did)
  if (method === 'jwk') return didJwkDocument(did)
  throw new Problem('malformed-request', `give the DID document of \`${did}\` with \`--did-document\``)
}

export async function verifyReceiptFile(
  context: CommandContext,
  file: string,
  options: { readonly didDocument?: string; readonly answer?: string },
): Promise<void> {
  const parsed = parseReceipt((await readTextPlace(file)).trim())
  const document = await holderDocument(parsed.claims.iss, options.didDocument)
  if (document.id !== parsed.claims.iss) {
    throw new Problem(
      'receipt-invalid',
      `the receipt is of \`${parsed.claims.iss}\`, the document of \`${document.id}\``,
    )
  }
  const { jwk } = findVerificationMethod(document, parsed.kid, {
    purpose: 'assertionMethod',
    atMs: parsed.claims.iat * 1_000,
  })
  verifyParsedReceipt(parsed, importVerifyingKey(jwk))
  const { checks, assumptions, ok } = await heldAgainst(parsed.claims, options.answer)
  if (!ok) context.fail()
  show(context, { ok, claims: parsed.claims, checks, assumptions }, () => [
    `${good} signed by ${parsed.kid}`,
    ...reportLines({ ok, checks, assumptions }),
    ...claimLines(parsed.claims),
  ])
}

/** What a receipt says, a line for each claim, and for each part of a composite. */
function claimLines({ parts, ...claims }: ReceiptClaims): string[] {
  const line = (name: string, value: unknown) =>
    printable(`  ${name.padEnd(7)} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
  return [
    ...Object.entries(claims).map(([name, value]) => line(name, value)),
    ...(parts ?? []).map(({ name, ...part }) => line('part', `${name} ${JSON.stringify(part)}`)),
  ]
}

/** A content, when it is given, held against the receipt: as a whole, or of a composite part by part. */
async function heldAgainst(claims: ReceiptClaims, place: string | undefined): Promise<EvidenceReport> {
  const checks = new EvidenceChecks()
  const answer = place === undefined ? undefined : await readContent(place)
  checkParts(claims, { answer }, checks)
  if (answer !== undefined && !isCompositeReceipt(claims)) {
    checks.run('answer', () => {
      if (sha256Text(answer, 'base64url') === claims.res) return ['the receipt is for exactly this content', undefined]
      if (claims.sea?.res === undefined) throw new Problem('proof-invalid', 'the receipt is for other content')
      throw new Problem('proof-invalid', 'the answer was sealed: only its evidence tells what was inside')
    })
  }
  return { ok: checks.made.every(({ ok }) => ok), checks: checks.made, assumptions: checks.assumptions }
}

export async function verifyLog(
  context: CommandContext,
  place: string,
  options: { readonly vkey?: string; readonly oldCheckpoint?: string },
): Promise<void> {
  const log = await openLog(place, options.vkey)
  const checks = [
    `checkpoint of ${log.checkpoint.origin} at size ${log.checkpoint.size} is signed by ${log.verifierKey}`,
  ]
  await verifyLogContent(log.source, log.checkpoint)
  checks.push('every entry, every tile and the root hash belong together')
  if (options.oldCheckpoint !== undefined) {
    const older = openCheckpoint(await readTextPlace(options.oldCheckpoint), log.verifier).checkpoint
    await verifyLogGrowth(log.source, older, log.checkpoint)
    checks.push(`it extends the earlier checkpoint of size ${older.size}`)
  }
  const value = {
    ok: true,
    origin: log.checkpoint.origin,
    size: log.checkpoint.size,
    verifierKey: log.verifierKey,
    keyFromLog: log.keyFromLog,
    checks,
  }
  const caution = 'the key came from beside the log; compare it with the holder’s DID document, or give it with --vkey'
  show(context, value, () => [
    ...checks.map((check) => `${good} ${check}`),
    ...(log.keyFromLog ? [colors.yellow(`! ${caution}`)] : []),
  ])
}

function reportLines(report: EvidenceReport): string[] {
  return [
    ...report.checks.map(({ name, ok, detail, erased }) =>
      erased === true ? `${gone} erased, not checked: ${name}, ${detail}` : `${ok ? good : bad} ${detail}`,
    ),
    ...report.assumptions.map((sentence) => colors.yellow(`! ${sentence}`)),
  ]
}

const readContent = (place: string): Promise<Uint8Array> => readPlace(place, { allowUntrustedTls: false })

export async function verifyExchange(
  context: CommandContext,
  files: readonly string[],
  options: {
    readonly didDocument?: readonly string[]
    readonly vkey?: string
    readonly answer?: string
    readonly body?: string
  },
): Promise<void> {
  const documents = await Promise.all((options.didDocument ?? []).map(readDidDocument))
  const verifierKey = options.vkey === undefined ? undefined : await readVerifierKey(options.vkey)
  const trusted = {
    documents,
    ...(verifierKey === undefined ? {} : { verifierKey }),
    ...(options.answer !== undefined && { answer: await readContent(options.answer) }),
    ...(options.body !== undefined && { body: await readContent(options.body) }),
  }
  const reports: (EvidenceReport & { readonly file: string })[] = []
  for (const file of files) reports.push({ file, ...verifyEvidence(await readJsonPlace(file), trusted) })
  if (reports.some(({ ok }) => !ok)) context.fail()
  const [first] = reports
  if (reports.length === 1) return show(context, first, () => (first === undefined ? [] : reportLines(first)))
  show(context, reports, () => reports.flatMap((report) => [printable(report.file), ...reportLines(report), '']))
}
