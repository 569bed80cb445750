/** `comity verify duty`: the signed receipt of a duty, such as a deletion receipt, offline. */
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { fulfils, parseDutyReceipt, verifyDutyReceipt } from '@comity/core/duties/duty-receipt'
import { findVerificationMethod } from '@comity/core/identity/did-document'
import { Problem } from '@comity/core/problems'
import colors from 'picocolors'
import { show, type CommandContext } from '../command-context.ts'
import { readTextPlace } from '../read-place.ts'
import { holderDocument } from './verify.ts'

/** The file holds the receipt, or what `comity duties show` printed. A receipt that says why a duty was not done is
 *  genuine all the same; it says so. */
export async function verifyDuty(
  context: CommandContext,
  file: string,
  options: { readonly didDocument?: string },
): Promise<void> {
  const parsed = parseDutyReceipt(receiptIn((await readTextPlace(file)).trim()))
  const { claims, kid } = parsed
  const document = await holderDocument(claims.iss, options.didDocument)
  if (document.id !== claims.iss) {
    throw new Problem('duty-receipt-invalid', `the receipt is of \`${claims.iss}\`, the document of \`${document.id}\``)
  }
  const { jwk } = findVerificationMethod(document, kid, { purpose: 'assertionMethod', atMs: claims.at })
  verifyDutyReceipt(parsed, importVerifyingKey(jwk))
  const isFulfilled = fulfils(claims.kind, claims.outcome)
  show(context, { ok: true, isFulfilled, claims }, () => [
    `${colors.green('✓')} signed by ${kid}`,
    isFulfilled
      ? `${colors.green('✓')} the duty \`${claims.kind}\` ended with \`${claims.outcome}\``
      : colors.yellow(`! the duty \`${claims.kind}\` was not done: ${claims.outcome}, ${claims.ground ?? ''}`),
    ...Object.entries(claims).map(([name, value]) => `  ${name.padEnd(7)} ${String(value)}`),
  ])
}

function receiptIn(text: string): string {
  if (!text.startsWith('{')) return text
  let duty: { readonly receipt?: unknown }
  try {
    duty = JSON.parse(text) as typeof duty
  } catch (cause) {
    throw new Problem('duty-receipt-invalid', 'the file is neither a receipt nor JSON', { cause })
  }
  if (typeof duty.receipt === 'string') return duty.receipt
  throw new Problem('duty-receipt-invalid', 'there is no receipt yet')
}
