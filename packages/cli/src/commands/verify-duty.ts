/** `comity verify duty`: the signed receipt of a duty, such as a deletion receipt, offline. */
import { importVerifyingKey } from '@comity/core/crypto/crypto-node'
import { fulfils, parseDutyReceipt, verifyDutyReceipt } from '@comity/core/duties/duty-receipt'
import { receiptKeyTime, receiptTimeFault } from '@comity/core/duties/receipt-times'
import { findVerificationMethod } from '@comity/core/identity/did-document'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { colors } from '../colors.ts'
import { show, type CommandContext } from '../command-context.ts'
import { readTextPlace } from '../read-place.ts'
import { holderDocument } from './verify.ts'

const clock: Clock = Date
/** How much the clock of the debtor may differ from the holder's, and from that of this machine. */
const skewSeconds = 60

/** The file holds the receipt, or what `comity duties show` printed. A receipt that says why a duty was not done is
 *  genuine all the same; it says so. */
export async function verifyDuty(
  context: CommandContext,
  file: string,
  options: { readonly didDocument?: string; readonly at?: string },
): Promise<void> {
  const nowMs = options.at === undefined ? clock.now() : timeOf(options.at, '--at')
  const { receipt, createdMs } = reportIn((await readTextPlace(file)).trim())
  const parsed = parseDutyReceipt(receipt)
  const { claims, kid } = parsed
  const document = await holderDocument(claims.iss, options.didDocument)
  if (document.id !== claims.iss) {
    throw new Problem('duty-receipt-invalid', `the receipt is of \`${claims.iss}\`, the document of \`${document.id}\``)
  }
  const fault = receiptTimeFault(claims, { createdMs, nowMs, skewSeconds })
  if (fault !== undefined) throw new Problem('duty-receipt-invalid', `the time of the receipt is impossible: ${fault}`)
  const use = { purpose: 'assertionMethod', atMs: receiptKeyTime(claims) } as const
  const { jwk, endsAtMs } = findVerificationMethod(document, kid, use)
  verifyDutyReceipt(parsed, importVerifyingKey(jwk))
  const isFulfilled = fulfils(claims.kind, claims.outcome)
  const cautions = endsAtMs <= nowMs ? [retiredKey(endsAtMs)] : []
  show(context, { ok: true, isFulfilled, claims, cautions }, () => [
    `${colors.green('✓')} signed by ${kid}`,
    isFulfilled
      ? `${colors.green('✓')} the duty \`${claims.kind}\` ended with \`${claims.outcome}\``
      : colors.yellow(`! the duty \`${claims.kind}\` was not done: ${claims.outcome}, ${claims.ground ?? ''}`),
    ...cautions.map((caution) => colors.yellow(`! ${caution}`)),
    ...Object.entries(claims).map(([name, value]) => `  ${name.padEnd(7)} ${textOf(name, value)}`),
  ])
}

const retiredKey = (endsAtMs: number): string =>
  `the key is out of use since ${new Date(endsAtMs).toISOString()}: that it signed before then is the word of the ` +
  'receipt; the holder’s log says when the receipt came'

/** A claim as people read it, times in full beside the number. */
function textOf(name: string, value: unknown): string {
  if (typeof value === 'object') return JSON.stringify(value)
  if (name === 'at') return `${String(value)} (${new Date(Number(value)).toISOString()})`
  return String(value)
}

interface ReportInFile {
  readonly receipt: string
  /** Where the file says it: when the duty was imposed. */
  readonly createdMs?: number
}

function reportIn(text: string): ReportInFile {
  if (!text.startsWith('{')) return { receipt: text }
  let duty: { readonly receipt?: unknown; readonly created?: unknown }
  try {
    duty = JSON.parse(text) as typeof duty
  } catch (cause) {
    throw new Problem('duty-receipt-invalid', 'the file is neither a receipt nor JSON', { cause })
  }
  const { receipt, created } = duty
  if (typeof receipt !== 'string') throw new Problem('duty-receipt-invalid', 'there is no receipt yet')
  return created === undefined ? { receipt } : { receipt, createdMs: timeOf(created, 'created') }
}

function timeOf(text: unknown, name: string): number {
  const timeMs = typeof text === 'string' ? Date.parse(text) : Number.NaN
  if (Number.isNaN(timeMs)) throw new Problem('malformed-request', `\`${name}\` is no time`)
  return timeMs
}
