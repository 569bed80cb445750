/** Changes that need no new record: no and later, pause and resume, and every way in which a consent ends. */
import type { ConsentRecord, ConsentState } from '@comity/core/consent/consent-record'
import { isFinalState } from '@comity/core/consent/consent-states'
import { Problem } from '@comity/core/problems'
import { effectsOf } from './consent-effects.ts'
import type { ConsentsParts } from './consent-ports.ts'
import { openKey, planStep, recordSteps, stepFailure, type PlannedStep, type StepFacts } from './consent-steps.ts'
import type { ConsentMove, StoredConsent } from './consent-store.ts'

/** The row of a consent. Throws `consent-unknown`. */
export async function findConsent({ store }: Pick<ConsentsParts, 'store'>, id: string): Promise<StoredConsent> {
  const consent = await store.find(id)
  if (consent === undefined) throw new Problem('consent-unknown', 'no consent has this id')
  return consent
}

/** Takes a step. Throws `consent-state`, `record-failed`; then nothing has changed. */
export async function changeConsent(
  parts: ConsentsParts,
  consent: StoredConsent,
  facts: StepFacts,
): Promise<StoredConsent> {
  const step = planChange(consent, facts, parts.clock.now())
  const key = await openKey(parts.vault, consent.subject)
  const statements = await statementsOf(parts, consent, step)
  try {
    await recordSteps(parts, { steps: [step], key, facts: { recipient: consent.recipient } }, statements)
  } catch (error) {
    throw await stepFailure(parts, consent, error)
  }
  return { ...consent, ...step.move }
}

/** The step with its row: who paused stands there while it lasts, and what has ended is not looked at by the clock. */
export function planChange(consent: StoredConsent, facts: StepFacts, nowMs: number): PlannedStep {
  const planned = planStep(consent, facts, { nowMs })
  const { state } = planned.move
  const move: ConsentMove = {
    ...planned.move,
    pausedBy: pauserAfter(consent, facts, state),
    dueMs: isFinalState(state) ? undefined : consent.dueMs,
  }
  return { ...planned, move }
}

function pauserAfter({ pausedBy }: StoredConsent, { type, by }: StepFacts, state: ConsentState) {
  if (type === 'paused') return by.role
  return state === 'paused' ? pausedBy : undefined
}

/** The holder's own reference of the subject; undefined when the subject was erased or the request forgotten. */
export async function unsealReference(
  vault: Pick<ConsentsParts['vault'], 'unseal'>,
  { reference }: Pick<StoredConsent, 'reference'>,
): Promise<string | undefined> {
  const text = reference === '' ? '' : await vault.unseal(reference)
  return text === '' ? undefined : text
}

/** Everything that a planned step writes beside itself. */
export async function statementsOf(parts: ConsentsParts, consent: StoredConsent, planned: PlannedStep) {
  const { store, vault } = parts
  const [key, reference, record, delegates] = await Promise.all([
    openKey(vault, consent.subject),
    unsealReference(vault, consent),
    loadOwedRecord(parts, consent),
    consent.rev > 0 ? store.loadDelegates(consent.id) : [],
  ])
  const move = store.moveConsent(consent.id, consent.seq, planned.move)
  return [move, ...effectsOf(parts, { consent, planned, delegates, record, reference, key })]
}

/** The revision that is in force; undefined while there is none, and when the subject was erased. */
export async function loadRecord(
  { store, vault }: Pick<ConsentsParts, 'store' | 'vault'>,
  { id, rev }: Pick<StoredConsent, 'id' | 'rev'>,
): Promise<ConsentRecord | undefined> {
  const stored = rev === 0 ? undefined : await store.findRevision(id, rev)
  const text = stored && (await vault.unseal(stored.body))
  return text === undefined ? undefined : (JSON.parse(text) as ConsentRecord)
}

/** The same with the grants of every revision: what was read under a grant is owed for, also when a later revision has
 *  narrowed or dropped it. */
export async function loadOwedRecord(
  parts: Pick<ConsentsParts, 'store' | 'vault'>,
  consent: Pick<StoredConsent, 'id' | 'rev'>,
): Promise<ConsentRecord | undefined> {
  const record = await loadRecord(parts, consent)
  if (record === undefined || consent.rev === 1) return record
  const texts = (await parts.store.loadRevisions(consent.id)).map(({ body }) => parts.vault.unseal(body))
  const records = (await Promise.all(texts)).flatMap((text) =>
    text === undefined ? [] : [JSON.parse(text) as ConsentRecord],
  )
  return { ...record, grants: records.flatMap(({ grants }) => grants) }
}

const dueAtOnce = 100

/** Writes down what has run out. What fails is tried again the next time, and holds up nothing else. Throws the first
 *  failure at the end. */
export async function expireDue(parts: ConsentsParts): Promise<void> {
  const failures: unknown[] = []
  let due = await parts.store.findDue(parts.clock.now(), dueAtOnce)
  while (due.length > 0) {
    for (const consent of due) await expire(parts, consent).catch((error: unknown) => failures.push(error))
    if (failures.length > 0 || due.length < dueAtOnce) break
    due = await parts.store.findDue(parts.clock.now(), dueAtOnce)
  }
  if (failures.length > 0) throw failures[0]
}

/** The clock's step; nothing when another one came first. */
export async function expire(parts: ConsentsParts, consent: StoredConsent): Promise<void> {
  const by = { id: parts.did, role: 'clock' } as const
  try {
    await changeConsent(parts, consent, { type: 'expired', by, method: 'clock' })
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'consent-state') throw error
  }
}
