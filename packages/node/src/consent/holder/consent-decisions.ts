/** What a person decides: seen, yes, a part, less than before, no, later. A yes is a record that is made again from what
 *  was asked before it counts, so that nobody can hand in a record of their own. */
import { parseDateTime } from '@comity/core/agreement/date-time'
import { verifyConsentProof, holderProof } from '@comity/core/consent/consent-proof'
import type { ConsentProof, ConsentRecord } from '@comity/core/consent/consent-record'
import { parseConsentRecord, recordHash } from '@comity/core/consent/parse-record'
import { Problem } from '@comity/core/problems'
import type { Statement } from '../../storage/database.ts'
import { loadTerms } from './asked-terms.ts'
import { changeConsent, findConsent, loadRecord, planChange, statementsOf, unsealReference } from './consent-changes.ts'
import type { ConsentsParts } from './consent-ports.ts'
import type { ConsentChoice, ConsentDraft, DecisionBy } from '../consent-service.ts'
import { planStep, recordSteps, stateProblem, stepFailure, type PlannedStep, type StepFacts } from './consent-steps.ts'
import type { StoredConsent } from './consent-store.ts'
import { choiceOf, decidesTheSame, draftRecord, type DraftFacts } from './draft-record.ts'
import { dutiesOfNarrowing } from './narrowing-duties.ts'
import { isGranted, stateAt } from './standing.ts'

/** How long a draft may wait for its proof. */
const draftLifeMs = 3_600_000

/** Notes that the request was seen, once in a row. Throws `consent-unknown`, `consent-state`. */
export async function present(parts: ConsentsParts, id: string, by: DecisionBy): Promise<void> {
  const consent = await findConsent(parts, id)
  const last = (await parts.store.loadSteps(id)).at(-1)
  if (last?.type === 'presented' && stateAt(consent, parts.clock.now()) === consent.state) return
  await changeConsent(parts, consent, await factsOf(parts, consent, { type: 'presented', by }))
}

/** `refused` or `deferred`. Throws `consent-unknown`, `consent-state`, `record-failed`. */
export async function decline(
  parts: ConsentsParts,
  id: string,
  decision: { readonly type: 'refused' | 'deferred'; readonly by: DecisionBy },
): Promise<StoredConsent> {
  const consent = await findConsent(parts, id)
  return changeConsent(parts, consent, await factsOf(parts, consent, decision))
}

/** The record that the choice would make. Throws `consent-unknown`, `consent-state`, `consent-choice-invalid`. */
export async function draft(
  parts: ConsentsParts,
  id: string,
  { choice, by }: { readonly choice: ConsentChoice; readonly by: DecisionBy },
): Promise<ConsentDraft> {
  const nowMs = parts.clock.now()
  const consent = await findConsent(parts, id)
  const facts = await draftFacts(parts, consent, { by, createdMs: nowMs })
  planStep(consent, await factsOf(parts, consent, { type: stepOf(consent), by }), { nowMs, rev: consent.rev + 1 })
  const record = draftRecord(parts, { ...facts, choice })
  return { record, hash: recordHash(record) }
}

/** Grants by a draft and its proof; a draft that says what is in force already changes nothing. Throws `consent-unknown`, `consent-state`, `consent-choice-invalid`,
 *  `consent-proof-invalid`, `record-failed`. */
export async function grant(
  parts: ConsentsParts,
  made: ConsentDraft,
  { proof, by }: { readonly proof: ConsentProof; readonly by: DecisionBy },
): Promise<StoredConsent> {
  const nowMs = parts.clock.now()
  const consent = await findConsent(parts, made.record.id)
  const facts = await factsOf(parts, consent, { type: stepOf(consent), by })
  const planned = planStep(consent, facts, { nowMs, rev: consent.rev + 1 })
  if (made.record.rev !== consent.rev + 1) throw stateProblem(stateAt(consent, nowMs))
  const record = await remake(parts, consent, { made, by, nowMs })
  await verifyProof(parts, consent, { record, proof, by, hash: made.hash })
  const current = await loadRecord(parts, consent)
  if (current !== undefined && decidesTheSame(record, current)) return consent
  return enterRecord(parts, { consent, planned, record: { ...record, proofs: [proof] }, nowMs })
}

function stepOf(consent: StoredConsent): 'granted' | 'amended' {
  return consent.rev === 0 ? 'granted' : 'amended'
}

async function factsOf(
  { vault }: ConsentsParts,
  consent: StoredConsent,
  { type, by }: { readonly type: StepFacts['type']; readonly by: DecisionBy },
): Promise<StepFacts> {
  const id = by.grantor?.id ?? vault.pairwise(await referenceOf(vault, consent), consent.recipient)
  return { type, by: { id, role: by.role }, method: by.method }
}

/** Throws `subject-erased`. */
async function referenceOf(vault: ConsentsParts['vault'], consent: StoredConsent): Promise<string> {
  const reference = await unsealReference(vault, consent)
  if (reference === undefined) throw new Problem('subject-erased', 'the person was erased here')
  return reference
}

async function draftFacts(
  parts: ConsentsParts,
  consent: StoredConsent,
  { by, createdMs }: Pick<DraftFacts, 'by' | 'createdMs'>,
): Promise<Omit<DraftFacts, 'choice'>> {
  const pairwise = parts.vault.pairwise(await referenceOf(parts.vault, consent), consent.recipient)
  const [terms, current] = await Promise.all([loadTerms(parts, consent.id), loadRecord(parts, consent)])
  if (consent.rev > 0 && current === undefined) throw new Problem('subject-erased', 'the record is kept no more')
  return { consent, terms, pairwise, current, by, createdMs }
}

/** The draft's record, made again. Throws `consent-choice-invalid` when it is not what was asked and chosen. */
async function remake(
  parts: ConsentsParts,
  consent: StoredConsent,
  { made, by, nowMs }: { readonly made: ConsentDraft; readonly by: DecisionBy; readonly nowMs: number },
): Promise<ConsentRecord> {
  const claimed = parseConsentRecord({ ...made.record, proofs: [] })
  const createdMs = parseDateTime(claimed.createdAt) ?? 0
  if (createdMs > nowMs || createdMs < nowMs - draftLifeMs) throw invalid('the draft is too old; make a new one')
  const facts = await draftFacts(parts, consent, { by, createdMs })
  const record = draftRecord(parts, { ...facts, choice: choiceOf(claimed, facts) })
  if (recordHash(record) !== made.hash || recordHash(claimed) !== made.hash) {
    throw invalid('the record is not the one that this decision makes')
  }
  return record
}

interface ProofToVerify {
  readonly record: ConsentRecord
  readonly proof: ConsentProof
  readonly by: DecisionBy
  readonly hash: string
}

async function verifyProof(
  parts: ConsentsParts,
  consent: StoredConsent,
  { record, proof, by, hash }: ProofToVerify,
): Promise<void> {
  const passkey = proof.type === 'webauthn' ? await parts.passkeyFacts(proof.value, consent) : undefined
  verifyConsentProof(proof, hash, { passkey })
  if (proof.role !== by.role || proof.by !== record.grantor.id) {
    throw new Problem('consent-proof-invalid', 'it is the proof of somebody else')
  }
}

interface RecordToEnter {
  readonly consent: StoredConsent
  readonly planned: PlannedStep
  /** With the grantor's proof. */
  readonly record: ConsentRecord
  readonly nowMs: number
}

/** Writes the record with the holder's own proof. A renewed template takes the place of what was granted by it before. */
async function enterRecord(
  parts: ConsentsParts,
  { consent, planned, record, nowMs }: RecordToEnter,
): Promise<StoredConsent> {
  const { store, vault, assertionKey } = parts
  const hash = recordHash(record)
  const expiresMs = parseDateTime(record.validity.expires)
  const notBeforeMs = parseDateTime(record.validity.notBefore)
  const move = { ...planned.move, hash, notBeforeMs, expiresMs, dueMs: expiresMs }
  const step = { ...planned, move }
  const key = await vault.open(consent.subject)
  const signed = { ...record, proofs: [...record.proofs, holderProof(record, assertionKey(), nowMs)] }
  const revision = {
    consent: consent.id,
    rev: record.rev,
    hash,
    createdMs: nowMs,
    body: key.seal(JSON.stringify(signed)),
  }
  const replaced = await replacedBy(parts, consent, { by: step.event, nowMs })
  const statements = [
    ...(await statementsOf(parts, consent, step)),
    store.insertRevision(revision),
    ...(await dutiesOfNarrowing(parts, consent, record)),
    ...replaced.statements,
  ]
  const facts = { recipient: consent.recipient, record: hash, proof: record.proofs.map(({ type }) => type) }
  try {
    await recordSteps(parts, { steps: [step, ...replaced.steps], key, facts }, statements)
  } catch (error) {
    throw await stepFailure(parts, consent, error)
  }
  return { ...consent, ...move }
}

/** The consents by the same template that a first grant takes the place of. */
async function replacedBy(
  parts: ConsentsParts,
  consent: StoredConsent,
  { by: { by, method }, nowMs }: { readonly by: PlannedStep['event']; readonly nowMs: number },
): Promise<{ readonly steps: PlannedStep[]; readonly statements: Statement[] }> {
  const { recipient, subject, template } = consent
  if (consent.rev > 0 || template === undefined) return { steps: [], statements: [] }
  const others = await parts.store.list({ recipient, subject, limit: 500 })
  const steps: PlannedStep[] = []
  const statements: Statement[] = []
  for (const other of others) {
    if (other.id === consent.id || other.template !== template || !isGranted(stateAt(other, nowMs))) continue
    const reason = { code: 'renewed', text: consent.id }
    const step = planChange(other, { type: 'superseded', by, method, reason }, nowMs)
    steps.push(step)
    statements.push(...(await statementsOf(parts, other, step)))
  }
  return { steps, statements }
}

function invalid(detail: string): Problem {
  return new Problem('consent-choice-invalid', detail)
}
