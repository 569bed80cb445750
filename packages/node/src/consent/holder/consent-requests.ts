/** Taking a recipient's request: whatever the reference is, the answer is the same, since whether a person exists is
 *  never told. What waits for a decision waits once, however often it is sent. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import type { ConsentEvent, ConsentState } from '@comity/core/consent/consent-record'
import { eventHash } from '@comity/core/consent/parse-record'
import { Problem } from '@comity/core/problems'
import type { Statement } from '../../storage/database.ts'
import type { SubjectHandle, SubjectKey } from '../../vault/vault.ts'
import { findTerms, whoDecides, type AskedTerms } from './asked-terms.ts'
import type { ConsentsParts } from './consent-ports.ts'
import { openKey, recordSteps, type PlannedStep } from './consent-steps.ts'
import type { StoredConsent } from './consent-store.ts'
import { expire } from './consent-changes.ts'
import { resolveTerms } from './resolve-terms.ts'
import { isOpen, stateForRecipient } from './standing.ts'

/** Who asks, over the wire. */
export interface AskingCaller {
  /** DID. */
  readonly did: string
  readonly idempotencyKey?: string | undefined
}

/** What the recipient is told. */
export interface RequestReceipt {
  readonly id: string
  readonly state: ConsentState
  /** When it lapses undecided. */
  readonly lapsesMs: number
}

const dayMs = 86_400_000

/** Takes a request (JSON value). Throws `consent-unknown` for strangers, `consent-request-invalid`, `template-invalid`,
 *  `consent-state` while another request to the same person waits, `idempotency-key-reused`, `record-failed`. */
export async function requestConsent(
  parts: ConsentsParts,
  value: unknown,
  caller: AskingCaller,
): Promise<RequestReceipt> {
  const terms = await resolveTerms(parts, value, caller.did)
  const asked = { terms, caller, ...(await personOf(parts, terms)) }
  const before = await earlier(parts, asked)
  if (before !== undefined) return before
  try {
    return await enter(parts, asked)
  } catch (error) {
    // The same request may have been written meanwhile: then it is found now.
    const meanwhile = await earlier(parts, asked)
    if (meanwhile === undefined) throw error
    return meanwhile
  }
}

interface Asked extends Person {
  readonly terms: AskedTerms
  readonly caller: AskingCaller
}

interface Person {
  /** Under which the request is kept. */
  readonly handle: SubjectHandle
  readonly key: SubjectKey
  /** The names under which earlier requests may stand. */
  readonly handles: readonly SubjectHandle[]
  /** False for who was erased: then nobody takes their place, so that the answer is the same. */
  readonly isKept: boolean
}

async function personOf({ vault }: ConsentsParts, { request }: AskedTerms): Promise<Person> {
  const { reference } = request.subject
  const handle = vault.handleOf(reference)
  const nobody = vault.handleOf(`\u0000nobody\u0000${reference}`)
  const handles = [handle, nobody]
  const key = await openKey(vault, handle)
  if (key !== undefined) return { handle, key, handles, isKept: true }
  return { handle: nobody, key: await vault.open(nobody), handles, isKept: false }
}

/** What was asked before: by the idempotency key, or the same while it waits. */
async function earlier(parts: ConsentsParts, asked: Asked): Promise<RequestReceipt | undefined> {
  const named = await findByKey(parts, asked)
  if (named !== undefined) return named
  for (const handle of asked.handles) {
    const latest = await parts.store.findLatest(asked.caller.did, handle)
    const receipt = latest && (await waitingReceipt(parts, latest, asked.terms))
    if (receipt !== undefined) return receipt
  }
  return undefined
}

async function findByKey(parts: ConsentsParts, { caller, terms }: Asked): Promise<RequestReceipt | undefined> {
  const { did, idempotencyKey } = caller
  const request = idempotencyKey === undefined ? undefined : await parts.store.findRequestByKey(did, idempotencyKey)
  const known = request && (await parts.store.find(request.consent))
  if (known === undefined) return undefined
  if (await isOther(parts, known, terms)) {
    throw new Problem('idempotency-key-reused', 'the idempotency key was used for another request')
  }
  return receiptOf(known, parts.clock.now())
}

async function waitingReceipt(
  parts: ConsentsParts,
  latest: StoredConsent,
  terms: AskedTerms,
): Promise<RequestReceipt | undefined> {
  if (latest.rev > 0) return undefined
  const receipt = receiptOf(latest, parts.clock.now())
  if (receipt.state !== 'requested') {
    if (isOpen(latest.state)) await expire(parts, latest)
    return undefined
  }
  if (!(await isOther(parts, latest, terms))) return receipt
  const { id, state, lapsesMs } = receipt
  throw new Problem('consent-state', 'another request to the same person waits for a decision', {
    members: { consent: id, state, lapses: formatDateTime(lapsesMs) },
  })
}

/** By the fingerprint, which outlives the text. Of a request from before there were any, once it can be read no more,
 *  nothing else is known than that it was this recipient's to this person. */
async function isOther(parts: ConsentsParts, { id, recipient }: StoredConsent, { hash }: AskedTerms): Promise<boolean> {
  const known = (await parts.store.findRequest(id))?.fingerprint
  if (known !== undefined) return known !== fingerprintOf(parts, hash, recipient)
  const terms = await findTerms(parts, id)
  return terms !== undefined && terms.hash !== hash
}

/** Under the node's secret: whom a request was about cannot be tried out from it. */
function fingerprintOf({ vault }: Pick<ConsentsParts, 'vault'>, hash: string, recipient: string): string {
  return vault.keyedHash(`\u0000request\u0000${hash}`, recipient)
}

/** What the recipient is told of its request. */
export function receiptOf(consent: StoredConsent, nowMs: number): RequestReceipt {
  return { id: consent.id, state: stateForRecipient(consent, nowMs), lapsesMs: consent.lapsesMs }
}

/** Writes the request, its first step, its link and the word to the holder's systems in one transaction. */
async function enter(parts: ConsentsParts, asked: Asked): Promise<RequestReceipt> {
  const { store, clock, newId, options, statusLists } = parts
  const { terms, key, caller } = asked
  const nowMs = clock.now()
  const lapsesMs = nowMs + options.requestDays * dayMs
  const status = await statusLists.allocate()
  const step = firstStep(`urn:uuid:${newId()}`, caller.did, nowMs)
  const consent = firstRow(asked, step, { nowMs, lapsesMs, status: status.entry })
  const body = key.seal(JSON.stringify(asked.isKept ? terms : withoutReference(terms)))
  const { id, recipient } = consent
  const fingerprint = fingerprintOf(parts, terms.hash, recipient)
  const statements = [
    store.insertConsent(consent),
    store.insertRequest({ consent: id, recipient, idempotencyKey: caller.idempotencyKey, fingerprint, body }),
    status.statement,
    ...(asked.isKept ? await invitation(parts, { consent, terms, key }) : []),
  ]
  const facts = { recipient, request: terms.hash }
  await recordSteps(parts, { steps: [step], key, facts }, statements)
  return { id, state: 'requested', lapsesMs }
}

type FirstStep = Pick<PlannedStep, 'event' | 'hash'>

function firstStep(consent: string, recipient: string, nowMs: number): FirstStep {
  const event: ConsentEvent = {
    consent,
    seq: 1,
    at: formatDateTime(nowMs),
    type: 'requested',
    state: 'requested',
    by: { id: recipient, role: 'recipient' },
    method: 'wire',
  }
  return { event, hash: eventHash(event) }
}

function firstRow(
  { handle, key, terms, caller, isKept }: Asked,
  { event, hash }: FirstStep,
  { nowMs, lapsesMs, status }: { nowMs: number; lapsesMs: number; status: StoredConsent['status'] },
): StoredConsent {
  return {
    id: event.consent,
    state: event.state,
    seq: event.seq,
    stepHash: hash,
    rev: 0,
    hash: undefined,
    recipient: caller.did,
    subject: handle,
    reference: key.seal(isKept ? terms.request.subject.reference : ''),
    template: terms.template?.id,
    requestedMs: nowMs,
    lapsesMs,
    notBeforeMs: undefined,
    expiresMs: undefined,
    dueMs: lapsesMs,
    pausedBy: undefined,
    status,
  }
}

function withoutReference(terms: AskedTerms): AskedTerms {
  const { request } = terms
  return { ...terms, request: { ...request, subject: { ...request.subject, reference: '' } } }
}

interface Invitation {
  readonly consent: StoredConsent
  readonly terms: AskedTerms
  readonly key: SubjectKey
}

/** The one-time link, and the word to the holder's systems, which bring it to the person. */
async function invitation(parts: ConsentsParts, { consent, terms, key }: Invitation): Promise<readonly Statement[]> {
  const lifetimeMs = consent.lapsesMs - consent.requestedMs
  const decides = whoDecides(terms)
  // A representative gets a link that names them, which only the holder's systems can have made.
  const link = decides.includes('self') ? await parts.links?.create({ consent: consent.id, lifetimeMs }) : undefined
  const [recipient] = terms.parties
  const { subject, kind } = terms.request
  const payload = {
    id: consent.id,
    reference: subject.reference,
    subjectType: subject.type,
    kind,
    recipient: { did: consent.recipient, name: recipient?.name, country: recipient?.country },
    languages: Object.keys(terms.notice.text),
    decides,
    ...(link !== undefined && { link: link.url }),
    lapses: formatDateTime(consent.lapsesMs),
  }
  return [...(link?.statements ?? []), ...parts.webhooks.statement({ type: 'consent.requested', payload }, key)]
}
