/** Duties about a person's data: imposed when a consent ends or a person uses a right, told to the debtor until it
 *  acknowledges, and open until its signed receipt is here. What is late is shown as late, not forgotten. */
import { dutyImposed, dutyImposedPayload, dutyReportedPayload } from '@comity/core/events/event-types'
import { fulfils, parseDutyReceipt, verifyDutyReceipt, type DutyKind } from '@comity/core/duties/duty-receipt'
import { receiptKeyTime, receiptTimeFault } from '@comity/core/duties/receipt-times'
import { Problem } from '@comity/core/problems'
import type { Statement } from '../storage/database.ts'
import type { SubjectHandle, SubjectKey } from '../vault/vault.ts'
import { createTurns } from '../storage/turns.ts'
import type { Duty, DutyFilter, NewDuty, StoredDuty } from './duty-store.ts'
import type { DutiesParts } from './duty-ports.ts'
import { reportDuty, type DutyReport } from './duty-report.ts'
import { endDuty, keyOfPerson, openedDuty } from './sealed-duties.ts'

/** What is owed by whom. */
export interface Imposition {
  readonly kind: DutyKind
  readonly consent?: string | undefined
  readonly subjectPairwise: string
  /** Of the person's key at this node. */
  readonly subject: SubjectHandle
  /** DID. */
  readonly debtor: string
  readonly dueMs: number
  readonly rightsRequest?: string | undefined
  readonly fields?: readonly string[] | undefined
}

/** A duty as people are shown it. */
export interface DutyView extends Duty {
  /** Open, and its time is over. */
  readonly isOverdue: boolean
}

export interface DutyListing extends Omit<DutyFilter, 'dueByMs'> {
  /** Only what is open and late. */
  readonly isOverdue?: boolean | undefined
}

/** A duty after it was reported. */
export interface ReportedDuty extends DutyView {
  /** False when it had been reported before: then nothing was signed or sent. */
  readonly isNew: boolean
  /** Ids of the other duties that the report discharged, each with a receipt of its own. */
  readonly discharged: readonly string[]
}

/** An event of another node, verified. */
interface Told {
  readonly issuer: string
  readonly payload: Readonly<Record<string, unknown>>
}

/** What an event brings about, and under whose key the log keeps what was told. */
interface Taken {
  readonly effects: readonly Statement[]
  readonly subject: SubjectKey | undefined
}

/** Throws unless what would be changed is what the caller saw. */
type Condition = () => Promise<void>

export interface Duties {
  /** The writes that impose a duty and tell its debtor; `outbox.wake` is the caller's, once they are durable. */
  impose(imposition: Imposition): readonly Statement[]
  list(filter: DutyListing): Promise<readonly DutyView[]>
  /** Throws `duty-unknown`. */
  show(id: string): Promise<DutyView>
  /** Signs the receipt for a duty that this node owes, and sends it; the first report counts, later ones change nothing.
   *  With `deleted` for a duty `erase` this node's own records of the person go first; with what fulfils it, the duties
   *  to delete or anonymise that it makes needless are discharged too. Throws `duty-unknown`, `duty-receipt-invalid` for
   *  an outcome that is not one of this duty, or one without its ground, and what the condition throws. */
  report(id: string, report: DutyReport, condition?: Condition): Promise<ReportedDuty>
  /** Tells the operator's systems of what is late; called every minute or so. */
  tellOverdue(): Promise<void>
  countOverdue(): Promise<number>
  /** For `POST /events`. */
  handleImposed(event: Told): Promise<Taken>
  handleReported(event: Told): Promise<Taken>
}

const overdueInTurn = 100

/** The duties of one node. */
export function createDuties(parts: DutiesParts): Duties {
  const { store, clock } = parts
  const turns = createTurns()
  const view = async (stored: StoredDuty): Promise<DutyView> => ({
    ...(await openedDuty(parts.vault, stored)),
    isOverdue: stored.state === 'open' && stored.dueMs <= clock.now(),
  })
  const show = async (id: string): Promise<DutyView> => {
    const duty = await store.find(id)
    if (duty === undefined) throw new Problem('duty-unknown', `there is no duty \`${id.slice(0, 100)}\``)
    return view(duty)
  }
  return {
    impose: (imposition) => impose(parts, imposition),
    list: async ({ isOverdue = false, ...filter }) =>
      Promise.all((await store.list(isOverdue ? { ...filter, dueByMs: clock.now() } : filter)).map(view)),
    show,
    // In turns: two reports at once would be two receipts, and the holder might keep the other one.
    // One turn for each person: a report may discharge other duties about them.
    report: async (id, report, condition) => {
      const handle = (await store.find(id))?.handle ?? id
      return turns(handle, async () => {
        await condition?.()
        const duty = await show(id)
        if (duty.side !== 'owed') throw new Problem('duty-unknown', 'this node does not owe that')
        const isNew = duty.state === 'open'
        const discharged = isNew ? await reportDuty(parts, duty, report) : []
        return { ...(await show(id)), isNew, discharged }
      })
    },
    tellOverdue: () => tellOverdue(parts),
    countOverdue: () => store.countOverdue(clock.now()),
    handleImposed: (event) => takeImposed(parts, event),
    handleReported: (event) => takeReported(parts, event),
  }
}

function impose(parts: DutiesParts, imposition: Imposition): readonly Statement[] {
  const { did, store, clock, newId, outbox, ownKey } = parts
  const { kind, consent, subjectPairwise, subject: handle, debtor, dueMs, rightsRequest, fields } = imposition
  const [id, nowMs] = [newId(), clock.now()]
  const duty: NewDuty = {
    id,
    side: 'imposed',
    kind,
    consent,
    holder: did,
    debtor,
    subject: ownKey.seal(subjectPairwise),
    handle,
    rightsRequest,
    dueMs,
    createdMs: nowMs,
    fields,
  }
  const payload = { duty: id, kind, consent, holder: did, subject: subjectPairwise, due: dueMs, fields }
  const told = outbox.statement({ recipient: debtor, type: dutyImposed, payload, occurredMs: nowMs }, ownKey)
  return [store.insert(duty), told]
}

/** The debtor's side: the duty is written down, and the organisation's own systems are told. */
async function takeImposed(parts: DutiesParts, { issuer, payload }: Told): Promise<Taken> {
  const { duty: id, kind, consent, holder, subject, due: dueMs, fields } = dutyImposedPayload.parse(payload)
  if (holder !== issuer) throw new Problem('event-invalid', 'a duty is imposed by the holder itself')
  const { did, store, clock, webhooks, vault, ownKey } = parts
  const handle = vault.handleOf(subject)
  const key = await keyOfPerson(vault, handle)
  const known = await store.find(id)
  if (known !== undefined) {
    if (known.holder === issuer && known.side === 'owed') return { effects: [], subject: key }
    throw new Problem('event-invalid', 'the id of the duty is taken')
  }
  const owed: NewDuty = {
    id,
    side: 'owed',
    kind,
    consent,
    holder,
    debtor: did,
    subject: ownKey.seal(subject),
    handle,
    rightsRequest: undefined,
    dueMs,
    createdMs: clock.now(),
    fields,
  }
  const told = { duty: id, kind, consent, holder, subject, due: new Date(dueMs).toISOString(), fields }
  const notices = webhooks.statement({ type: 'duty.owed', payload: told }, ownKey)
  const settled = parts.replicas?.settle(owed) ?? []
  return { effects: [store.insert(owed), ...settled, ...notices], subject: key }
}

/** The holder's side: the receipt must be the debtor's own, and about exactly this duty. */
async function takeReported(parts: DutiesParts, { issuer, payload }: Told): Promise<Taken> {
  const { store, vault, ownKey } = parts
  const { duty: id, receipt } = dutyReportedPayload.parse(payload)
  const stored = await store.find(id)
  const refuse = (detail: string): never => {
    throw new Problem('event-invalid', detail)
  }
  if (stored?.side !== 'imposed' || stored.debtor !== issuer) return refuse('there is no such duty')
  const key = await keyOfPerson(vault, stored.handle)
  // The first report counts.
  if (stored.state !== 'open') return { effects: [], subject: key }
  const duty = await openedDuty(vault, stored)
  const parsed = parseReceipt(receipt)
  const { claims, kid } = parsed
  const isOfDuty =
    claims.iss === duty.debtor &&
    claims.aud === parts.did &&
    claims.duty === duty.id &&
    claims.kind === duty.kind &&
    claims.consent === duty.consent &&
    claims.sub === duty.subject
  if (!isOfDuty) return refuse('the receipt is for another duty')
  const bounds = { createdMs: duty.createdMs, nowMs: parts.clock.now(), skewSeconds: parts.skewSeconds }
  const fault = receiptTimeFault(claims, bounds)
  if (fault !== undefined) return refuse(`the time of the receipt is impossible: ${fault}`)
  // As the key counted when the receipt was made: it may have waited for this node longer than a key lives. That it was
  // made in time is the debtor's word, under whose key of now the event came.
  const signedBy = await parts.resolveKey(kid, 'assertionMethod', receiptKeyTime(claims))
  try {
    verifyDutyReceipt(parsed, signedBy)
  } catch (cause) {
    throw new Problem('event-invalid', 'the receipt does not verify', { cause })
  }
  const state = fulfils(duty.kind, claims.outcome) ? ('done' as const) : ('refused' as const)
  const closed = { state, outcome: claims.outcome, receipt, closedMs: parts.clock.now() }
  return { effects: [endDuty(store, { duty, closed, key, ownKey })], subject: key }
}

function parseReceipt(receipt: string): ReturnType<typeof parseDutyReceipt> {
  try {
    return parseDutyReceipt(receipt)
  } catch (cause) {
    throw new Problem('event-invalid', 'the receipt cannot be read', { cause })
  }
}

async function tellOverdue(parts: DutiesParts): Promise<void> {
  const { store, clock, webhooks, database, onOverdue, ownKey } = parts
  for (const stored of await store.overdueUntold(clock.now(), overdueInTurn)) {
    const duty = await openedDuty(parts.vault, stored)
    const { id, kind, consent, side, holder, debtor, subject, dueMs } = duty
    const payload = { duty: id, side, kind, consent, holder, debtor, subject, due: new Date(dueMs).toISOString() }
    await database.execute([store.markTold(id), ...webhooks.statement({ type: 'duty.overdue', payload }, ownKey)])
    webhooks.wake()
    onOverdue(duty)
  }
}
