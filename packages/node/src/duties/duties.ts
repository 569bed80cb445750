/** Duties about a person's data: imposed when a consent ends or a person uses a right, told to the debtor until it
 *  acknowledges, and open until its signed receipt is here. What is late is shown as late, not forgotten. */
import { dutyImposed, dutyImposedPayload, dutyReported, dutyReportedPayload } from '@comity/core/events/event-types'
import {
  fulfils,
  isPossibleOutcome,
  parseDutyReceipt,
  signDutyReceipt,
  verifyDutyReceipt,
  type DutyKind,
  type DutyOutcome,
} from '@comity/core/duties/duty-receipt'
import type { SigningKey, VerifyingKey } from '@comity/core/crypto/crypto'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { Statement } from '../storage/database.ts'
import { createTurns } from '../storage/turns.ts'
import type { Duty, DutyFilter, DutyStore, NewDuty } from './duty-store.ts'

export interface DutiesParts {
  /** Own DID. */
  readonly did: string
  readonly store: DutyStore
  readonly clock: Clock
  readonly newId: () => string
  readonly assertionKey: () => { readonly keyid: string; readonly key: SigningKey }
  readonly resolveKey: (keyid: string, purpose: 'assertionMethod', atMs?: number) => Promise<VerifyingKey>
  readonly outbox: {
    statement(event: {
      readonly recipient: string
      readonly type: string
      readonly payload: Readonly<Record<string, unknown>>
      readonly occurredMs: number
    }): Statement
    wake(): void
  }
  readonly webhooks: {
    statement(event: {
      readonly type: 'duty.owed' | 'duty.overdue'
      readonly payload: Readonly<Record<string, unknown>>
    }): readonly Statement[]
    wake(): void
  }
  /** Writes an event of the log and the statements in one transaction. */
  readonly record: (
    event: { readonly id: string; readonly type: string; readonly timeMs: number; readonly body: string },
    effects: readonly Statement[],
  ) => Promise<unknown>
  readonly database: { execute(statements: readonly Statement[]): Promise<unknown> }
  /** Makes everything unreadable that this node itself keeps about the person of a duty; repeating it does no harm. Done
   *  before it is signed that a person was erased here. */
  readonly eraseSubject: (duty: Duty) => Promise<unknown>
  /** Told, for the operator, of each duty that was not done in time. */
  readonly onOverdue: (duty: Duty) => void
}

/** What is owed by whom. */
export interface Imposition {
  readonly kind: DutyKind
  readonly consent?: string | undefined
  readonly subjectPairwise: string
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

export interface DutyReport {
  readonly outcome: DutyOutcome
  /** Why not, or by which law the data is kept. */
  readonly ground?: string | undefined
}

/** An event of another node, verified. */
interface Told {
  readonly issuer: string
  readonly payload: Readonly<Record<string, unknown>>
}

export interface Duties {
  /** The writes that impose a duty and tell its debtor; `outbox.wake` is the caller's, once they are durable. */
  impose(imposition: Imposition): readonly Statement[]
  list(filter: DutyListing): Promise<readonly DutyView[]>
  /** Throws `duty-unknown`. */
  show(id: string): Promise<DutyView>
  /** Signs the receipt for a duty that this node owes, and sends it; the first report counts, later ones change nothing.
   *  With `deleted` for a duty `erase` this node's own records of the person go first. Throws `duty-unknown`,
   *  `duty-receipt-invalid` for an outcome that is not one of this duty, or one without its ground. */
  report(id: string, report: DutyReport): Promise<DutyView>
  /** Tells the operator's systems of what is late; called every minute or so. */
  tellOverdue(): Promise<void>
  countOverdue(): Promise<number>
  /** For `POST /events`. */
  handleImposed(event: Told): Promise<readonly Statement[]>
  handleReported(event: Told): Promise<readonly Statement[]>
}

const overdueInTurn = 100

/** The duties of one node. */
export function createDuties(parts: DutiesParts): Duties {
  const { store, clock } = parts
  const turns = createTurns()
  const view = (duty: Duty): DutyView => ({
    ...duty,
    isOverdue: duty.state === 'open' && duty.dueMs <= clock.now(),
  })
  const show = async (id: string): Promise<DutyView> => {
    const duty = await store.find(id)
    if (duty === undefined) throw new Problem('duty-unknown', `there is no duty \`${id.slice(0, 100)}\``)
    return view(duty)
  }
  return {
    impose: (imposition) => impose(parts, imposition),
    list: async ({ isOverdue = false, ...filter }) =>
      (await store.list(isOverdue ? { ...filter, dueByMs: clock.now() } : filter)).map(view),
    show,
    // In turns: two reports at once would be two receipts, and the holder might keep the other one.
    report: (id, report) =>
      turns(id, async () => {
        const duty = await show(id)
        if (duty.side !== 'owed') throw new Problem('duty-unknown', 'this node does not owe that')
        if (duty.state === 'open') await close(parts, duty, report)
        return show(id)
      }),
    tellOverdue: () => tellOverdue(parts),
    countOverdue: () => store.countOverdue(clock.now()),
    handleImposed: (event) => takeImposed(parts, event),
    handleReported: (event) => takeReported(parts, event),
  }
}

function impose({ did, store, clock, newId, outbox }: DutiesParts, imposition: Imposition): readonly Statement[] {
  const { kind, consent, subjectPairwise, debtor, dueMs, rightsRequest, fields } = imposition
  const [id, nowMs] = [newId(), clock.now()]
  const duty: NewDuty = {
    id,
    side: 'imposed',
    kind,
    consent,
    holder: did,
    debtor,
    subject: subjectPairwise,
    rightsRequest,
    dueMs,
    createdMs: nowMs,
    fields,
  }
  const payload = { duty: id, kind, consent, holder: did, subject: subjectPairwise, due: dueMs, fields }
  return [store.insert(duty), outbox.statement({ recipient: debtor, type: dutyImposed, payload, occurredMs: nowMs })]
}

/** The debtor's side: the duty is written down, and the organisation's own systems are told. */
async function takeImposed(parts: DutiesParts, { issuer, payload }: Told): Promise<readonly Statement[]> {
  const { duty: id, kind, consent, holder, subject, due: dueMs, fields } = dutyImposedPayload.parse(payload)
  if (holder !== issuer) throw new Problem('event-invalid', 'a duty is imposed by the holder itself')
  const known = await parts.store.find(id)
  if (known !== undefined) {
    if (known.holder === issuer && known.side === 'owed') return []
    throw new Problem('event-invalid', 'the id of the duty is taken')
  }
  const { did, store, clock, webhooks } = parts
  const owed: NewDuty = {
    id,
    side: 'owed',
    kind,
    consent,
    holder,
    debtor: did,
    subject,
    rightsRequest: undefined,
    dueMs,
    createdMs: clock.now(),
    fields,
  }
  const told = { duty: id, kind, consent, holder, subject, due: new Date(dueMs).toISOString(), fields }
  return [store.insert(owed), ...webhooks.statement({ type: 'duty.owed', payload: told })]
}

async function close(parts: DutiesParts, duty: Duty, { outcome, ground }: DutyReport): Promise<void> {
  const { did, store, clock, newId, outbox } = parts
  if (!isPossibleOutcome(duty.kind, outcome)) {
    throw new Problem('duty-receipt-invalid', `\`${outcome}\` is not how a duty \`${duty.kind}\` ends`)
  }
  const nowMs = clock.now()
  const receipt = signDutyReceipt(
    {
      iss: did,
      aud: duty.holder,
      iat: Math.floor(nowMs / 1000),
      duty: duty.id,
      kind: duty.kind,
      consent: duty.consent,
      sub: duty.subject,
      outcome,
      ground,
      at: nowMs,
    },
    parts.assertionKey(),
  )
  if (duty.kind === 'erase' && outcome === 'deleted') await parts.eraseSubject(duty)
  const state = fulfils(duty.kind, outcome) ? ('done' as const) : ('refused' as const)
  const id = newId()
  const body = JSON.stringify({ type: 'duty-reported', id, time: nowMs, duty: duty.id, outcome, receipt })
  await parts.record({ id, type: 'duty-reported', timeMs: nowMs, body }, [
    store.close(duty.id, { state, outcome, receipt, closedMs: nowMs }),
    outbox.statement({
      recipient: duty.holder,
      type: dutyReported,
      payload: { duty: duty.id, receipt },
      occurredMs: nowMs,
    }),
  ])
  outbox.wake()
}

/** The holder's side: the receipt must be the debtor's own, and about exactly this duty. */
async function takeReported(parts: DutiesParts, { issuer, payload }: Told): Promise<readonly Statement[]> {
  const { duty: id, receipt } = dutyReportedPayload.parse(payload)
  const duty = await parts.store.find(id)
  const refuse = (detail: string): never => {
    throw new Problem('event-invalid', detail)
  }
  if (duty === undefined || duty.side !== 'imposed' || duty.debtor !== issuer) return refuse('there is no such duty')
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
  // As the key counted when the receipt was made: it may have waited for this node longer than a key lives.
  const key = await parts.resolveKey(kid, 'assertionMethod', claims.at)
  try {
    verifyDutyReceipt(parsed, key)
  } catch (cause) {
    throw new Problem('event-invalid', 'the receipt does not verify', { cause })
  }
  const state = fulfils(duty.kind, claims.outcome) ? ('done' as const) : ('refused' as const)
  return [parts.store.close(id, { state, outcome: claims.outcome, receipt, closedMs: parts.clock.now() })]
}

function parseReceipt(receipt: string): ReturnType<typeof parseDutyReceipt> {
  try {
    return parseDutyReceipt(receipt)
  } catch (cause) {
    throw new Problem('event-invalid', 'the receipt cannot be read', { cause })
  }
}

async function tellOverdue({ store, clock, webhooks, database, onOverdue }: DutiesParts): Promise<void> {
  for (const duty of await store.overdueUntold(clock.now(), overdueInTurn)) {
    const { id, kind, consent, side, holder, debtor, subject, dueMs } = duty
    const payload = { duty: id, side, kind, consent, holder, debtor, subject, due: new Date(dueMs).toISOString() }
    await database.execute([store.markTold(id), ...webhooks.statement({ type: 'duty.overdue', payload })])
    webhooks.wake()
    onOverdue(duty)
  }
}
