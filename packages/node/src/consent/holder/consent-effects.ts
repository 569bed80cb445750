/** What a change of a granted consent brings about beside the change: its status, the word to everybody who has a part
 *  of it, and what they owe once it has ended. All are statements of the change's transaction. */
import type { ConsentEvent, ConsentGrant, ConsentRecord, ConsentState } from '@comity/core/consent/consent-record'
import { addDuration, parseDuration } from '@comity/core/consent/durations'
import { consentChanged } from '@comity/core/events/event-types'
import type { Statement } from '../../storage/database.ts'
import type { SubjectKey } from '../../vault/vault.ts'
import type { ConsentsParts, DutyToImpose } from './consent-ports.ts'
import type { PlannedStep } from './consent-steps.ts'
import type { KnownDelegate, StoredConsent } from './consent-store.ts'

export interface Changed {
  /** As it was. */
  readonly consent: StoredConsent
  readonly planned: PlannedStep
  readonly delegates: readonly KnownDelegate[]
  /** What duties follow from (`loadOwedRecord`); undefined when the subject was erased or nothing was granted. */
  readonly record: ConsentRecord | undefined
  readonly reference: string | undefined
  readonly key: SubjectKey | undefined
}

const ended: ReadonlySet<ConsentState> = new Set(['expired', 'withdrawn', 'revoked', 'superseded'])
const withDuties: ReadonlySet<ConsentState> = new Set(['expired', 'withdrawn', 'revoked'])
/** What the holder's systems need not hear of. */
const silent: ReadonlySet<ConsentEvent['type']> = new Set(['requested', 'presented'])
const defaultDeleteWithin = 'P30D'

/** Status, notices and duties of a step. While nothing was granted, the recipient hears of nothing: that a request ends
 *  before it lapses tells that the person was known, and a decision not to give is the person's own. */
export function effectsOf(parts: ConsentsParts, changed: Changed): Statement[] {
  const { planned, record } = changed
  const { state, rev } = planned.move
  const isTold = rev > 0 && planned.event.type !== 'presented'
  return [
    ...statusOf(parts, changed),
    ...(isTold ? noticesOf(parts, changed) : []),
    ...(record !== undefined && withDuties.has(state) ? dutiesOf(parts, changed, record) : []),
    ...webhookOf(parts, changed),
  ]
}

/** Of what was granted only: nobody was told the entry of a request, and a list that changes when a request lapses, but
 *  not for one that was refused, tells them apart. */
function statusOf({ statusLists }: ConsentsParts, { consent, planned }: Changed): Statement[] {
  const { state, rev } = planned.move
  if (rev === 0) return []
  if (state === 'paused') return [statusLists.set(consent.status, 'suspended')]
  if (planned.event.type === 'resumed') return [statusLists.set(consent.status, 'valid')]
  return ended.has(state) ? [statusLists.set(consent.status, 'invalid')] : []
}

/** To the recipient, and to each delegate that is not known to have lost its part already. */
function noticesOf(parts: ConsentsParts, { consent, planned, delegates }: Changed): Statement[] {
  const current = delegates.filter(({ endedMs }) => endedMs === undefined)
  const told = new Set([consent.recipient, ...current.map(({ delegate }) => delegate)])
  const now = { id: consent.id, ...planned.move, atMs: Date.parse(planned.event.at) }
  return [...told].map((recipient) => noticeOf(parts, recipient, now))
}

type Noticed = Pick<StoredConsent, 'id' | 'state' | 'rev' | 'hash' | 'seq'> & { readonly atMs: number }

function noticeOf({ did, outbox }: ConsentsParts, recipient: string, { id, atMs, ...now }: Noticed): Statement {
  const { state, rev, hash, seq } = now
  const payload = { consent: id, holder: did, state, rev, ...(hash !== undefined && { hash }), seq, time: atMs }
  return outbox.statement({ recipient, type: consentChanged, payload, occurredMs: atMs })
}

/** Everybody who may have data owes what the record says: the recipient, and each delegate, also a former one. */
export function debtorsOf({ recipient }: StoredConsent, delegates: readonly KnownDelegate[]): string[] {
  return [...new Set([recipient, ...delegates.map(({ delegate }) => delegate)])]
}

function dutiesOf(parts: ConsentsParts, { consent, planned, delegates }: Changed, record: ConsentRecord): Statement[] {
  const fromMs = Date.parse(planned.event.at)
  return debtorsOf(consent, delegates).flatMap((debtor) =>
    dutiesOfOne(parts, { debtor, subject: consent.subject, record, fromMs }),
  )
}

interface Owed {
  readonly debtor: string
  /** Handle. */
  readonly subject: string
  readonly record: ConsentRecord
  readonly fromMs: number
}

function dutiesOfOne({ duties }: ConsentsParts, { debtor, subject, record, fromMs }: Owed): Statement[] {
  const due = new Map<DutyToImpose['kind'], number>()
  for (const { retention } of record.grants) {
    const kind = dutyOfRetention(retention)
    if (kind === undefined) continue
    due.set(kind, Math.min(due.get(kind) ?? Infinity, dueMs(retention, fromMs)))
  }
  const owed = { consent: record.id, subjectPairwise: record.subject.id, subject, debtor }
  return [...due].flatMap(([kind, at]) => duties.impose({ ...owed, kind, dueMs: at }))
}

/** For a delegate that became known only when the consent stood no longer as it did: what it has missed. */
export function missedBy(
  parts: ConsentsParts,
  delegate: string,
  { consent, record, nowMs }: { consent: StoredConsent; record: ConsentRecord | undefined; nowMs: number },
): Statement[] {
  if (consent.state === 'active') return []
  const notice = noticeOf(parts, delegate, { ...consent, atMs: nowMs })
  const owes = record !== undefined && withDuties.has(consent.state)
  const owed = { debtor: delegate, subject: consent.subject, fromMs: nowMs }
  return [notice, ...(owes ? dutiesOfOne(parts, { ...owed, record }) : [])]
}

/** The duty that a grant's retention puts on who was given data; undefined for data that may be kept. */
export function dutyOfRetention(retention: ConsentGrant['retention']): DutyToImpose['kind'] | undefined {
  const kind = retention?.onWithdrawal
  return kind === 'delete' || kind === 'anonymise' ? kind : undefined
}

/** Until when it is to be done. */
export function dueMs(retention: ConsentGrant['retention'], fromMs: number): number {
  const within = parseDuration(retention?.deleteWithin ?? defaultDeleteWithin)
  return within === undefined ? fromMs : addDuration(fromMs, within)
}

function webhookOf({ webhooks }: ConsentsParts, { consent, planned, reference, key }: Changed): readonly Statement[] {
  const { event, move } = planned
  if (key === undefined || silent.has(event.type)) return []
  const payload = {
    id: consent.id,
    reference,
    recipient: consent.recipient,
    change: event.type,
    state: move.state,
    rev: move.rev,
    by: event.by.role,
    at: event.at,
  }
  return webhooks.statement({ type: 'consent.changed', payload }, key)
}
