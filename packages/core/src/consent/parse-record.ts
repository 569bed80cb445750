/** Consent records and the steps of their lives: reading, hashing, and proving that a series is whole. */
import { sha256Text } from '#crypto'
import { canonicalJson } from '../bytes/canonical-json.ts'
import { Problem } from '../problems.ts'
import { eventSchema, recordSchema } from './consent-record-schema.ts'
import type { ConsentActor, ConsentEvent, ConsentRecord, ConsentState } from './consent-record.ts'
import { decideStep } from './consent-states.ts'
import { faulty, parseAs } from './consent-texts.ts'

/** Longest record in canonical form, proofs included, in characters. */
export const maxRecordLength = 256 * 1024

/** Reads a JSON value. Throws `consent-record-invalid` with every fault in `errors`; no proof is verified. */
export function parseConsentRecord(value: unknown): ConsentRecord {
  const record = parseAs(recordSchema, value, 'consent-record-invalid')
  if (canonicalJson(record).length > maxRecordLength) {
    throw faulty('consent-record-invalid', [{ pointer: '', detail: `longer than ${maxRecordLength} characters` }])
  }
  return record
}

/** Reads one step. Throws `consent-record-invalid`. */
export function parseConsentEvent(value: unknown): ConsentEvent {
  return parseAs(eventSchema, value, 'consent-record-invalid')
}

/** SHA-256 (base64url) of the canonical JSON (RFC 8785) of the record without `proofs`. */
export function recordHash(record: ConsentRecord): string {
  const { proofs, ...rest } = record
  void proofs
  return sha256Text(canonicalJson(rest), 'base64url')
}

/** SHA-256 (base64url) of the canonical JSON of a step. */
export function eventHash(event: ConsentEvent): string {
  return sha256Text(canonicalJson(event), 'base64url')
}

/** Returns when the revisions are one whole series, oldest first: numbered from 1, each with the hash of the one
 *  before, about one subject and between the same two. Throws `consent-record-invalid`. */
export function verifyRecordChain(records: readonly ConsentRecord[]): void {
  const [first] = records
  if (first === undefined) throw invalid('there is no revision')
  for (const [index, record] of records.entries()) {
    if (record.rev !== index + 1) throw invalid(`revision ${index + 1} is missing`)
    const before = records[index - 1]
    if (record.prev !== (before && recordHash(before))) {
      throw invalid(`revision ${record.rev} does not carry the hash of the one before`)
    }
    if (identityOf(record) !== identityOf(first)) throw invalid(`revision ${record.rev} is of another consent`)
  }
}

/** Returns when the steps are one whole series, oldest first: numbered from 1, each with the hash of the one before,
 *  each possible where it was taken and by whom. Throws `consent-record-invalid`. */
export function verifyEventChain(events: readonly ConsentEvent[]): void {
  if (events.length === 0) throw invalid('there is no step')
  let state: ConsentState | undefined
  let pausedBy: ConsentActor = 'clock'
  for (const [index, event] of events.entries()) {
    const before = events[index - 1]
    if (event.seq !== index + 1) throw invalid(`step ${index + 1} is missing`)
    if (event.prev !== (before && eventHash(before))) {
      throw invalid(`step ${event.seq} does not carry the hash of the one before`)
    }
    if (event.consent !== (before ?? event).consent) throw invalid(`step ${event.seq} is of another consent`)
    const next = decideStep(state === 'paused' ? { state, pausedBy } : state, event.type, event.by.role)
    if (next === undefined || next !== event.state) throw invalid(`step ${event.seq} is not possible there`)
    if (event.type === 'paused') pausedBy = event.by.role
    state = next
  }
}

function identityOf({ id, kind, subject, parties }: ConsentRecord): string {
  const partyOf = (role: string): string | undefined => parties.find((party) => party.role === role)?.id
  return JSON.stringify([id, kind, subject.id, subject.type, partyOf('holder'), partyOf('recipient')])
}

function invalid(detail: string): Problem {
  return new Problem('consent-record-invalid', detail)
}
