/** A holder as recipients meet it on the wire, for tests: it keeps its consents in memory, and signs records, steps and
 *  tokens as a real one does. */
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { formatDateTime } from '@comity/core/agreement/date-time'
import { holderProof } from '@comity/core/consent/consent-proof'
import { noticeHash } from '@comity/core/consent/consent-record-schema'
import {
  consentRecordSchemaIri,
  type ConsentEvent,
  type ConsentGrant,
  type ConsentRecord,
  type ConsentState,
} from '@comity/core/consent/consent-record'
import { parseConsentRequest, requestHash, type ConsentRequest } from '@comity/core/consent/consent-request'
import { eventHash, recordHash } from '@comity/core/consent/parse-record'
import { signConsentToken } from '@comity/core/consent-token/consent-token'
import { maxOnwardDepth } from '@comity/core/consent-token/onward-sharing'
import type { PublicJwk, SigningKey } from '@comity/core/crypto/crypto'
import { Problem } from '@comity/core/problems'

/** Who calls, as the signature of the request shows. */
export interface WireCaller {
  readonly did: string
  readonly jwk: PublicJwk
}

export interface WireRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
  readonly idempotencyKey?: string
}

interface Kept {
  readonly id: string
  readonly recipient: string
  readonly request: ConsentRequest
  readonly records: ConsentRecord[]
  readonly events: ConsentEvent[]
}

export type WireAnswer = (caller: WireCaller, request: WireRequest) => Promise<unknown>

const stateAfter: Partial<Record<ConsentEvent['type'], ConsentState>> = {
  requested: 'requested',
  granted: 'active',
  amended: 'active',
  resumed: 'active',
  paused: 'paused',
  refused: 'refused',
  withdrawn: 'withdrawn',
  superseded: 'superseded',
  revoked: 'revoked',
}

export interface TestHolderOptions {
  readonly did: string
  readonly clock: { now(): number }
  /** Gives UUIDv7s. */
  readonly newId: () => string
}

export class TestHolder {
  readonly did: string
  readonly signer: { readonly keyid: string; readonly key: SigningKey }
  /** How often it was asked. */
  readonly counts = { tokens: 0, states: 0 }
  readonly #options: TestHolderOptions
  readonly #kept = new Map<string, Kept>()

  constructor(options: TestHolderOptions) {
    this.#options = options
    this.did = options.did
    this.signer = { keyid: `${options.did}#assert-1`, key: importSigningKey(generatePrivateJwk('ed25519')) }
  }

  readonly answer: WireAnswer = async (caller, { method, path, body }) => {
    if (method === 'POST' && path === '/consents/requests') return this.#ask(caller, body)
    const [, , first = '', last] = path.split('/')
    if (first === 'requests') {
      this.counts.states += 1
      return { state: stateOf(this.#find(last ?? '', caller.did)) }
    }
    const one = this.#find(first, caller.did)
    if (last === 'token') return this.#token(one, caller)
    if (last === 'revoke' && method === 'POST') return this.#push(one, { type: 'revoked' }, 'recipient')
    return { record: one.records.at(-1), state: stateOf(one), events: one.events }
  }

  /** The person grants; `subject` is the pairwise id. */
  grant(id: string, grants: readonly ConsentGrant[], subject: string): ConsentRecord {
    const one = this.#find(id)
    const before = one.records.at(-1)
    const record = this.#record(one, grants, subject)
    one.records.push({ ...record, proofs: [holderProof(record, this.signer)] })
    this.#push(one, { type: before === undefined ? 'granted' : 'amended' }, 'subject')
    return record
  }

  /** The person does something else. */
  step(id: string, type: ConsentEvent['type']): void {
    this.#push(this.#find(id), { type }, 'subject')
  }

  /** A new consent has taken the place of an old one. */
  supersede(old: string, successor: string): void {
    this.#push(this.#find(old), { type: 'superseded', reason: { code: 'renewed', text: successor } }, 'subject')
  }

  /** What `consent-changed` says of it now. */
  told(id: string) {
    const one = this.#find(id)
    const record = one.records.at(-1)
    return {
      consent: id,
      holder: this.did,
      state: stateOf(one),
      rev: record?.rev ?? 0,
      ...(record === undefined ? {} : { hash: recordHash(record) }),
      seq: one.events.length,
      time: this.#options.clock.now(),
    }
  }

  #find(id: string, recipient?: string): Kept {
    const found = this.#kept.get(id)
    if (found === undefined || (recipient !== undefined && found.recipient !== recipient)) {
      throw new Problem('consent-unknown', 'there is no such consent for you')
    }
    return found
  }

  #push(one: Kept, { type, reason }: Pick<ConsentEvent, 'type' | 'reason'>, role: 'subject' | 'recipient'): void {
    const before = one.events.at(-1)
    one.events.push({
      consent: one.id,
      seq: one.events.length + 1,
      at: formatDateTime(this.#options.clock.now()),
      type,
      state: stateAfter[type] ?? 'requested',
      by: { id: role === 'recipient' ? one.recipient : 'ps_someone', role },
      method: role === 'recipient' ? 'wire' : 'page',
      ...(reason === undefined ? {} : { reason }),
      ...(before === undefined ? {} : { prev: eventHash(before) }),
    })
  }

  #ask(caller: WireCaller, body: unknown) {
    const { newId, clock } = this.#options
    const request = parseConsentRequest(body)
    const one: Kept = { id: `urn:uuid:${newId()}`, recipient: caller.did, request, records: [], events: [] }
    this.#push(one, { type: 'requested' }, 'recipient')
    this.#kept.set(one.id, one)
    return { id: one.id, state: 'requested', lapses: formatDateTime(clock.now() + 86_400_000) }
  }

  #token(one: Kept, caller: WireCaller) {
    const { newId, clock } = this.#options
    this.counts.tokens += 1
    const state = stateOf(one)
    if (state !== 'active') throw new Problem('consent-inactive', `the consent is ${state}`, { members: { state } })
    const record = one.records.at(-1) as ConsentRecord
    const iat = Math.floor(clock.now() / 1000)
    const claims = {
      iss: this.did,
      aud: this.did,
      sub: record.subject.id,
      client_id: caller.did,
      jti: newId(),
      iat,
      nbf: iat,
      exp: iat + 300,
      cnf: { jwk: caller.jwk },
      consent: { id: one.id, rev: record.rev, hash: recordHash(record) },
      authorization_details: record.grants,
      del_depth: 0,
      del_max_depth: maxOnwardDepth(record.grants),
    }
    return { token: signConsentToken(claims, this.signer), expires: claims.exp * 1000 }
  }

  #record({ id, recipient, request, records }: Kept, grants: readonly ConsentGrant[], subject: string): ConsentRecord {
    const before = records.at(-1)
    const atMs = this.#options.clock.now()
    const text = 'May we?'
    return {
      schema: consentRecordSchemaIri,
      id,
      rev: records.length + 1,
      ...(before === undefined ? {} : { prev: recordHash(before) }),
      request: { hash: requestHash(request) },
      kind: 'personal',
      subject: { id: subject, type: 'person' },
      grantor: { id: subject, capacity: 'self' },
      parties: [
        { id: this.did, role: 'holder', name: 'Holder' },
        { id: recipient, role: 'recipient', name: 'Recipient' },
      ],
      notice: { version: '1', lang: 'en', text, hash: noticeHash(text), presentedAt: formatDateTime(atMs) },
      grants,
      validity: { notBefore: formatDateTime(atMs), expires: formatDateTime(atMs + 30 * 86_400_000) },
      revocation: { by: ['subject', 'holder', 'recipient'], status: { uri: 'https://h.example/status/1', idx: 7 } },
      createdAt: formatDateTime(atMs),
      proofs: [],
    }
  }
}

const stateOf = ({ events }: Kept): ConsentState => events.at(-1)?.state ?? 'requested'
