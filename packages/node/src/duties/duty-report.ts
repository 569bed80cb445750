/** The debtor's side of a duty's end: its report becomes signed receipts, one for each duty that it discharges, which
 *  are sent to the holder. */
import {
  dutyOutcomes,
  fulfils,
  isPossibleOutcome,
  signDutyReceipt,
  type DutyKind,
} from '@comity/core/duties/duty-receipt'
import type { DutyOutcome, RemovedReplicas } from '@comity/core/duties/duty-receipt'
import { sha256Text } from '@comity/core/crypto/crypto-node'
import { dutyReported } from '@comity/core/events/event-types'
import { Problem } from '@comity/core/problems'
import type { SubjectKey } from '../vault/vault.ts'
import type { Duty } from './duty-store.ts'
import type { DutiesParts } from './duty-ports.ts'
import { endDuty, keyOfPerson, openedDuty } from './sealed-duties.ts'

export interface DutyReport {
  readonly outcome: DutyOutcome
  /** Why not, or by which law the data is kept. */
  readonly ground?: string | undefined
}

/** Duties of the same person that are done, too, where everything about them was erased. */
const withinErasure: ReadonlySet<DutyKind> = new Set(['delete', 'anonymise', 'erase'])
const maxCovered = 10_000

/** Signs and sends what the report says of an open duty. Gives the ids of the other duties that it discharged. */
export async function reportDuty(parts: DutiesParts, duty: Duty, report: DutyReport): Promise<readonly string[]> {
  const { outcome, ground } = report
  if (!isPossibleOutcome(duty.kind, outcome)) {
    const possible = dutyOutcomes.filter((one) => isPossibleOutcome(duty.kind, one))
    const names = possible.map((one) => `\`${one}\``).join(', ')
    const detail = `\`${outcome}\` is not how a duty \`${duty.kind}\` ends; it ends with one of ${names}`
    throw new Problem('duty-receipt-invalid', detail, { members: { outcomes: possible } })
  }
  if (ground === undefined && (outcome === 'retained' || outcome === 'refused')) {
    const why = outcome === 'retained' ? 'by which law the data is kept' : 'why it is not done'
    throw new Problem('duty-receipt-invalid', `with \`${outcome}\` the \`ground\` has to say ${why}`)
  }
  const covered = duty.kind === 'erase' && fulfils(duty.kind, outcome) ? await findCovered(parts, duty) : []
  const all = [duty, ...covered]
  const nowMs = parts.clock.now()
  const receipts = await Promise.all(
    all.map(async (one) => {
      const replicas = await parts.replicas?.removed(one)
      return { duty: one, receipt: sign(parts, one, { ...report, nowMs, replicas }) }
    }),
  )
  if (outcome === 'deleted') await eraseFor(parts, all)
  await close(parts, receipts, { ...report, nowMs })
  return covered.map(({ id }) => id)
}

/** The other open duties to the same holder, about the same person, that an erasure discharges. */
async function findCovered({ store, vault }: DutiesParts, erase: Duty): Promise<readonly Duty[]> {
  const { id, handle, holder, subject } = erase
  if (handle === undefined || subject === undefined) return []
  const stored = await store.list({ side: 'owed', state: 'open', handle, limit: maxCovered })
  const open = await Promise.all(stored.map((one) => openedDuty(vault, one)))
  return open.filter(
    (one) => one.id !== id && one.holder === holder && one.subject === subject && withinErasure.has(one.kind),
  )
}

interface Reported extends DutyReport {
  readonly nowMs: number
}

interface Signed extends Reported {
  /** What the node itself removed. */
  readonly replicas: RemovedReplicas | undefined
}

function sign({ did, assertionKey }: DutiesParts, duty: Duty, { outcome, ground, nowMs, replicas }: Signed): string {
  const { id, kind, holder, consent, subject = '' } = duty
  const claims = { iss: did, aud: holder, iat: Math.floor(nowMs / 1000), duty: id, kind, consent, sub: subject }
  return signDutyReceipt({ ...claims, outcome, ground, at: nowMs, replicas }, assertionKey())
}

async function eraseFor({ eraseSubject }: DutiesParts, duties: readonly Duty[]): Promise<void> {
  for (const duty of duties) if (duty.kind === 'erase') await eraseSubject({ ...duty, subject: duty.subject ?? '' })
}

/** All in one transaction, with one entry in the log. */
async function close(
  parts: DutiesParts,
  receipts: readonly { readonly duty: Duty; readonly receipt: string }[],
  { outcome, nowMs }: Reported,
): Promise<void> {
  const { newId, outbox, vault } = parts
  const id = newId()
  const told = receipts.map(({ duty, receipt }) => ({
    duty: duty.id,
    outcome,
    receiptHash: sha256Text(receipt, 'base64url'),
  }))
  const [first, ...others] = told
  const more = others.length > 0 ? { others } : {}
  const body = JSON.stringify({ type: 'duty-reported', id, time: nowMs, ...first, ...more })
  const { subject = '' } = receipts[0]?.duty ?? {}
  const key = await keyOfPerson(vault, vault.handleOf(subject))
  const statements = receipts.flatMap((one) => closing(parts, { ...one, outcome, nowMs, key }))
  await parts.record({ id, type: 'duty-reported', timeMs: nowMs, body }, statements)
  outbox.wake()
}

interface Closing extends Reported {
  readonly duty: Duty
  readonly receipt: string
  /** The person's; undefined when they were erased. */
  readonly key: SubjectKey | undefined
}

function closing({ store, outbox, ownKey }: DutiesParts, { duty, receipt, outcome, nowMs, key }: Closing) {
  const state = fulfils(duty.kind, outcome) ? ('done' as const) : ('refused' as const)
  const payload = { duty: duty.id, receipt }
  return [
    endDuty(store, { duty, closed: { state, outcome, receipt, closedMs: nowMs }, key, ownKey }),
    outbox.statement({ recipient: duty.holder, type: dutyReported, payload, occurredMs: nowMs }, ownKey),
  ]
}
