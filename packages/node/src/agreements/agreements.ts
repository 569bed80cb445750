/** Agreements on this node: drafting and signing documents, taking those that both sides have signed, ending them.
 *  An ended agreement stops the very next call; the other side is told until it has acknowledged. */
import { agreementHash } from '@comity/core/agreement/agreement'
import { draftAgreement, type AgreementOptions } from '@comity/core/agreement/agreement-draft'
import type { AgreementVerdict } from '@comity/core/agreement/agreement-decision'
import { readAgreementTerms, type AgreementTerms } from '@comity/core/agreement/agreement-policy'
import {
  parseAgreementEnvelope,
  signAgreement,
  verifyAgreement,
  type AgreementEnvelope,
} from '@comity/core/agreement/agreement-signature'
import type { SigningKey, VerifyingKey } from '@comity/core/crypto/crypto'
import { agreementTerminated, agreementTerminatedPayload } from '@comity/core/events/event-types'
import type { Clock } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import type { Statement } from '../storage/database.ts'
import { AgreementIndex, type AgreementOverlap, type AgreementQuestion } from './agreement-index.ts'
import { recordOf, type AgreementDetails, type AgreementRecord, type KnownAgreement } from './agreement-record.ts'
import type { AgreementStore, StoredAgreement, Termination } from './agreement-store.ts'

export interface AgreementsParts {
  /** Own DID. */
  readonly did: string
  readonly store: AgreementStore
  readonly clock: Clock
  /** A UUID, lower case. */
  readonly newId: () => string
  /** Resolves the node's own keys too; `atMs` is when the key was used. */
  readonly resolveKey: (keyid: string, purpose: 'assertionMethod', atMs: number) => Promise<VerifyingKey>
  readonly assertionKey: () => { readonly keyid: string; readonly key: SigningKey }
  /** Writes an event of the log and the statements in one transaction. */
  readonly record: (
    event: { readonly id: string; readonly type: string; readonly timeMs: number; readonly body: string },
    effects: readonly Statement[],
  ) => Promise<unknown>
  readonly outbox: {
    statement(event: {
      readonly recipient: string
      readonly type: string
      readonly payload: Readonly<Record<string, unknown>>
      readonly occurredMs: number
    }): Statement
    wake(): void
  }
}

/** Throws unless what would be changed is what the caller saw. */
type Condition = () => Promise<void>

interface Known {
  readonly stored: StoredAgreement
  readonly terms: AgreementTerms
  /** On disk. */
  termination: Termination | undefined
  /** This node's own, being written. */
  terminating: Promise<void> | undefined
}

/** Clocks may be this far apart. */
const skewMs = 300_000
const maxReasonLength = 1000
/** Early terminations that are kept in memory, for the moment until they are on disk. */
const maxEarly = 1000

/** Reads what the node has agreed on before. */
export async function openAgreements(parts: AgreementsParts): Promise<Agreements> {
  const agreements = new Agreements(parts)
  await agreements.load()
  return agreements
}

export class Agreements {
  readonly #parts: AgreementsParts
  readonly #index = new AgreementIndex()
  readonly #known = new Map<string, Known>()
  /** Terminations that came before their agreement; on disk too, but perhaps not yet when an import looks there. */
  readonly #early = new Map<string, Termination[]>()
  /** Imports run one after the other, so that two documents with one id cannot both find it free. */
  #importing: Promise<unknown> = Promise.resolve()

  constructor(parts: AgreementsParts) {
    this.#parts = parts
  }

  async load(): Promise<void> {
    const terminations = Map.groupBy(await this.#parts.store.loadTerminations(), ({ agreement }) => agreement)
    for (const stored of await this.#parts.store.loadAgreements()) {
      const terms = readAgreementTerms(stored.envelope.agreement)
      this.#admit(stored, terms, terminations.get(terms.id) ?? [])
    }
  }

  /** Answers from memory whether a call is covered. */
  decide(question: AgreementQuestion, nowMs: number): AgreementVerdict {
    return this.#index.decide(question, nowMs)
  }

  /** A document to be signed by both sides. Throws `agreement-malformed` when this node is no party. */
  draft(options: Omit<AgreementOptions, 'id' | 'concludedMs'>): AgreementEnvelope {
    const { newId, clock } = this.#parts
    const agreement = draftAgreement({ ...options, id: `urn:uuid:${newId()}`, concludedMs: clock.now() })
    this.#requireParty(agreement)
    return { agreement, signatures: [] }
  }

  /** Adds this node's signature to a document (JSON value). Throws `agreement-malformed`, `agreement-unenforceable`,
   *  `agreement-conflict`, `record-failed`. */
  async sign(document: unknown): Promise<AgreementEnvelope> {
    const { assertionKey, clock } = this.#parts
    const envelope = parseAgreementEnvelope(document)
    const terms = readAgreementTerms(envelope.agreement)
    this.#requireParty(terms)
    const hash = agreementHash(envelope.agreement)
    this.#requireSame(terms.id, hash)
    const signed = signAgreement(envelope, assertionKey(), clock.now())
    await this.#record('agreement-signed', { agreement: terms.id, hash, peer: this.#peerOf(terms) }, [])
    return signed
  }

  /** Takes a document (JSON value) that both sides have signed; from then on it counts. The same document again
   *  changes nothing. Throws `agreement-malformed`, `agreement-unenforceable`, `agreement-signature`,
   *  `agreement-conflict`, `record-failed`, what resolving a key throws, and what the condition throws. */
  import(document: unknown, condition?: Condition): Promise<AgreementRecord> {
    const result = this.#importing.then(async () => {
      await condition?.()
      return this.#import(document)
    })
    this.#importing = result.catch(() => undefined)
    return result
  }

  /** Agreements here that would cover some calls of a document (JSON value) too, which must then name one of them.
   *  Throws `agreement-malformed`, `agreement-unenforceable`. */
  overlaps(document: unknown): AgreementOverlap[] {
    const terms = readAgreementTerms(parseAgreementEnvelope(document).agreement)
    return this.#index.overlaps(terms, this.#parts.clock.now())
  }

  /** All agreements in the order of their import. */
  list(): AgreementRecord[] {
    return [...this.#known.values()].map((known) => this.#recordOf(known))
  }

  /** Throws `agreement-unknown`. */
  show(id: string): AgreementDetails {
    const known = this.#find(id)
    return { ...this.#recordOf(known), envelope: known.stored.envelope }
  }

  /** Ends an agreement, at once and for good, and tells the other side. One that has ended stays as it is. Throws
   *  `agreement-unknown`, `malformed-request` for a reason that is too long, and `record-failed`: then no call is
   *  allowed any more, but it is not written down yet, so terminate again. Throws what the condition throws; it holds
   *  for an agreement that nobody ends meanwhile. */
  async terminate(id: string, reason: string, condition?: Condition): Promise<AgreementRecord> {
    if (condition !== undefined) await condition()
    const known = this.#find(id)
    const isEnding = known.termination !== undefined || known.terminating !== undefined
    if (isEnding && condition !== undefined) await condition()
    if (reason.length > maxReasonLength) {
      throw new Problem('malformed-request', `the reason is longer than ${maxReasonLength} characters`)
    }
    if (known.termination === undefined) {
      known.terminating ??= this.#terminate(known, reason).finally(() => {
        known.terminating = undefined
      })
      await known.terminating
    }
    return this.#recordOf(known)
  }

  /** What the event `agreement-terminated` of another node brings about. A word about an agreement that is not here
   *  yet is kept for its import; one by somebody who is no party counts for nothing. */
  async handleTermination(event: {
    readonly issuer: string
    readonly payload: Readonly<Record<string, unknown>>
  }): Promise<Statement[]> {
    const parsed = agreementTerminatedPayload.safeParse(event.payload)
    if (!parsed.success) throw new Problem('event-invalid', 'the payload of `agreement-terminated` is not right')
    const { agreement, reason, time } = parsed.data
    const atMs = Math.min(time, this.#parts.clock.now())
    const termination: Termination = { agreement, by: event.issuer, atMs, reason }
    const known = this.#known.get(agreement)
    if (known === undefined) this.#rememberEarly(termination)
    else {
      if (this.#peerOf(known.terms) !== event.issuer) return []
      this.#index.terminate(agreement, atMs)
      known.termination ??= termination
    }
    return [this.#parts.store.insertTermination(termination)]
  }

  async #import(document: unknown): Promise<AgreementRecord> {
    const { store, clock, resolveKey } = this.#parts
    const envelope = parseAgreementEnvelope(document)
    const terms = readAgreementTerms(envelope.agreement)
    this.#requireParty(terms)
    await verifyAgreement(envelope, (keyid, atMs) => {
      if (atMs <= clock.now() + skewMs) return resolveKey(keyid, 'assertionMethod', atMs)
      throw new Problem('agreement-signature', `the signature with \`${keyid}\` is dated in the future`)
    })
    const hash = agreementHash(envelope.agreement)
    this.#requireSame(terms.id, hash)
    const earlier = this.#known.get(terms.id)
    if (earlier !== undefined) return this.#recordOf(earlier)
    const stored: StoredAgreement = { envelope, hash, importedMs: clock.now() }
    const facts = { agreement: terms.id, hash, peer: this.#peerOf(terms) }
    await this.#record('agreement-imported', facts, [store.insertAgreement(stored)])
    return this.#recordOf(this.#admit(stored, terms, await store.findTerminations(terms.id)))
  }

  async #terminate(known: Known, reason: string): Promise<void> {
    const { did, store, clock, outbox } = this.#parts
    const { terms, stored } = known
    const atMs = clock.now()
    // Before anything waits: the next call is refused, whatever becomes of the writing.
    this.#index.terminate(terms.id, atMs)
    const termination: Termination = { agreement: terms.id, by: did, atMs, reason }
    const payload = { agreement: terms.id, hash: stored.hash, time: atMs, reason }
    const recipient = this.#peerOf(terms)
    const facts = { agreement: terms.id, hash: stored.hash, peer: recipient, reason }
    await this.#record('agreement-terminated', facts, [
      store.insertTermination(termination),
      outbox.statement({ recipient, type: agreementTerminated, payload, occurredMs: atMs }),
    ])
    known.termination ??= termination
    outbox.wake()
  }

  #admit(stored: StoredAgreement, terms: AgreementTerms, terminations: readonly Termination[]): Known {
    const heard = [...terminations, ...(this.#early.get(terms.id) ?? [])]
    this.#early.delete(terms.id)
    const termination = heard.find(({ by }) => by === terms.assigner || by === terms.assignee)
    const known: Known = { stored, terms, termination, terminating: undefined }
    this.#known.set(terms.id, known)
    this.#index.add(terms, termination?.atMs)
    return known
  }

  #rememberEarly(termination: Termination): void {
    const [oldest] = this.#early.keys()
    if (this.#early.size >= maxEarly && oldest !== undefined) this.#early.delete(oldest)
    const earlier = this.#early.get(termination.agreement) ?? []
    if (earlier.some(({ by }) => by === termination.by)) return
    this.#early.set(termination.agreement, [...earlier, termination])
  }

  #recordOf(known: Known): AgreementRecord {
    const [terminatedMs, nowMs] = [this.#index.terminatedMs(known.terms.id), this.#parts.clock.now()]
    const overlaps = terminatedMs === undefined ? this.#index.overlaps(known.terms, nowMs) : []
    const seen: KnownAgreement = { ...known, terminatedMs, overlaps }
    return recordOf(seen, this.#parts.did, nowMs)
  }

  #find(id: string): Known {
    const known = this.#known.get(id)
    if (known === undefined) throw new Problem('agreement-unknown', `there is no agreement \`${id}\``)
    return known
  }

  #requireParty({ assigner, assignee }: { readonly assigner: string; readonly assignee: string }): void {
    const { did } = this.#parts
    if (assigner !== did && assignee !== did)
      throw new Problem('agreement-malformed', `\`${did}\` is not a party of it`)
  }

  #requireSame(id: string, hash: string): void {
    const known = this.#known.get(id)
    if (known !== undefined && known.stored.hash !== hash) {
      throw new Problem('agreement-conflict', `\`${id}\` is known with another content`)
    }
  }

  #peerOf({ assigner, assignee }: AgreementTerms): string {
    return assigner === this.#parts.did ? assignee : assigner
  }

  #record(type: string, facts: Readonly<Record<string, unknown>>, effects: readonly Statement[]): Promise<unknown> {
    const { newId, clock, record } = this.#parts
    const [id, timeMs] = [newId(), clock.now()]
    return record({ id, type, timeMs, body: JSON.stringify({ type, id, time: timeMs, ...facts }) }, effects)
  }
}
