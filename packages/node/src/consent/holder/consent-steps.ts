/** Takes one step in a consent's life: the row, the step in its chain, its entry in the log and everything that follows
 *  from it are one transaction. Of two steps that were decided on the same state one is taken. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import type { ConsentEvent, ConsentState } from '@comity/core/consent/consent-record'
import { eventHash, parseConsentEvent } from '@comity/core/consent/parse-record'
import { decideStep } from '@comity/core/consent/consent-states'
import { Problem } from '@comity/core/problems'
import type { Statement } from '../../storage/database.ts'
import type { SubjectKey } from '../../vault/vault.ts'
import type { ConsentsParts } from './consent-ports.ts'
import type { ConsentMove, StoredConsent, StoredStep } from './consent-store.ts'
import { stateAt } from './standing.ts'

/** Who takes a step, how and why. */
export type StepFacts = Pick<ConsentEvent, 'type' | 'by' | 'method' | 'reason'>

/** A step that is allowed, before it is written. */
export interface PlannedStep {
  readonly event: ConsentEvent
  readonly hash: string
  /** Row after it; terms and times as before unless the caller says otherwise. */
  readonly move: ConsentMove
}

/** The step, if it may follow. Throws `consent-state`, `consent-record-invalid` for a reason that cannot be told. */
export function planStep(
  consent: StoredConsent,
  facts: StepFacts,
  { nowMs, rev = consent.rev }: { readonly nowMs: number; readonly rev?: number },
): PlannedStep {
  const from = facts.type === 'expired' ? consent.state : stateAt(consent, nowMs)
  const { pausedBy: by } = consent
  const known = from === 'paused' && by !== undefined ? ({ state: from, pausedBy: by } as const) : from
  const state = decideStep(known, facts.type, facts.by.role)
  if (state === undefined) throw stateProblem(from)
  // Whoever gets the steps reads them as strictly.
  const event = parseConsentEvent({
    consent: consent.id,
    seq: consent.seq + 1,
    at: formatDateTime(nowMs),
    type: facts.type,
    state,
    ...(rev > 0 && { rev }),
    by: facts.by,
    method: facts.method,
    ...(facts.reason && { reason: facts.reason }),
    prev: consent.stepHash,
  })
  const hash = eventHash(event)
  const { hash: terms, notBeforeMs, expiresMs, dueMs, pausedBy } = consent
  const move = { state, seq: event.seq, stepHash: hash, rev, hash: terms, notBeforeMs, expiresMs, dueMs, pausedBy }
  return { event, hash, move }
}

/** What the step says no to, naming where the consent stands. */
export function stateProblem(state: ConsentState): Problem {
  return new Problem('consent-state', `the consent is ${state}`, { members: { state } })
}

/** One entry of the log: its steps of one or more consents, with everything that follows from them. */
export interface StepsToRecord {
  readonly steps: readonly Pick<PlannedStep, 'event' | 'hash'>[]
  /** Undefined when the subject was erased: then nothing that could be theirs is written down. */
  readonly key: SubjectKey | undefined
  /** Told in the log beside the first step. */
  readonly facts?: Readonly<Record<string, unknown>> | undefined
}

/** Writes the steps, their event in the log and the statements in one transaction. */
export async function recordSteps(
  { store, newId, record, outbox, webhooks }: ConsentsParts,
  { steps, key, facts }: StepsToRecord,
  statements: readonly Statement[],
): Promise<void> {
  const id = newId()
  const told = steps.map(({ event, hash }) => ({ step: key === undefined ? withoutNames(event) : event, hash }))
  const timeMs = Math.max(...steps.map(({ event }) => Date.parse(event.at)))
  const [first, ...others] = told
  const more = { ...(key && facts), ...(others.length > 0 && { others }) }
  const body = JSON.stringify({ type: 'consent', id, time: timeMs, ...first, ...more })
  // The steps come first: when one is there already, nothing else is tried.
  const inserts = steps.map((step) => store.insertStep(storedStep(step, id, key)))
  await record({ id, type: 'consent', timeMs, body, subject: key }, [...inserts, ...statements])
  outbox.wake()
  webhooks.wake()
}

function storedStep(
  { event, hash }: Pick<PlannedStep, 'event' | 'hash'>,
  entry: string,
  key: SubjectKey | undefined,
): StoredStep {
  return {
    consent: event.consent,
    seq: event.seq,
    type: event.type,
    state: event.state,
    atMs: Date.parse(event.at),
    hash,
    event: entry,
    body: key?.seal(JSON.stringify(event)) ?? '',
  }
}

/** What became of a step that could not be written: `consent-state` when another one came first, else the error. */
export async function stepFailure(
  { store, clock }: ConsentsParts,
  consent: StoredConsent,
  error: unknown,
): Promise<unknown> {
  const now = await store.find(consent.id)
  return now === undefined || now.seq === consent.seq ? error : stateProblem(stateAt(now, clock.now()))
}

function withoutNames({ consent, seq, at, type, state, by: { role }, method, prev }: ConsentEvent) {
  return { consent, seq, at, type, state, by: { role }, method, prev }
}

/** The subject's key, undefined when it was destroyed. */
export async function openKey(
  vault: ConsentsParts['vault'],
  subject: StoredConsent['subject'],
): Promise<SubjectKey | undefined> {
  try {
    return await vault.open(subject)
  } catch (error) {
    if (error instanceof Problem && error.code === 'subject-erased') return undefined
    throw error
  }
}
