/** What a participant's log says about an exchange: the event whose salted commitment is the log entry. It holds no
 *  query, no path values and no content, which may be personal: the path's template and hashes stand for them.
 *
 *      {"type":"exchange","id":"0190…","role":"holder","outcome":"allowed","time":1718000001234,"peer":"did:web:lab.example",
 *       "product":"athletes","version":"1.0.0","operation":"getAthlete","method":"GET","path":"/athletes/{id}","status":200} */
import { z } from 'zod'
import { parseJson } from '../bytes/json.ts'
import { Problem } from '../problems.ts'
import { sealingClaimsSchema, sealingText, type SealingClaims } from '../sealing/sealing-claims.ts'
import { exchangePartsSchema, partsClaims, partsText, type ExchangePart } from './composite-parts.ts'
import { fieldsHash, policyClaims } from './field-lists.ts'
import type { ReceiptClaims } from './receipt.ts'

/** `intended`: the durable word before an unsafe call, and before the first byte of a streamed answer, followed by
 *  another event with the outcome. `unknown`: an intent whose outcome a crash took away. */
export type ExchangeOutcome = 'intended' | 'allowed' | 'denied' | 'failed' | 'unknown'

/** One exchange as one side saw it. Hashes are SHA-256 in base64url; times and durations are in milliseconds. */
export interface ExchangeEvent {
  /** Id of the exchange, the same on both sides. */
  readonly id: string
  /** Which side wrote it. */
  readonly role: 'holder' | 'recipient'
  readonly outcome: ExchangeOutcome
  /** Since the Unix epoch. */
  readonly time: number
  /** DID of the other side; absent for anonymous callers. */
  readonly peer?: string | undefined
  /** Public id of an API key: at a holder the one with which the other side came, instead of a signature; at a recipient
   *  the one of its own application. */
  readonly key?: string | undefined
  readonly product?: string | undefined
  readonly version?: string | undefined
  /** Operation id of the product's description. */
  readonly operation?: string | undefined
  readonly method: string
  /** Path template of the operation, e.g. `/athletes/{id}`; absent when no operation was found. */
  readonly path?: string | undefined
  readonly agreement?: string | undefined
  /** IRI. */
  readonly purpose?: string | undefined
  /** The consent under which a call about a person was decided: id, revision, hash of the record. */
  readonly consent?: { readonly id: string; readonly rev: number; readonly hash: string } | undefined
  /** DIDs from the consent's recipient to the caller, when the caller acted by delegation. */
  readonly via?: readonly string[] | undefined
  /** Id of the exchange in which this answer was promised by reference. */
  readonly reference?: string | undefined
  /** At a recipient: id of the exchange whose answer was used again, from the node's own replica of it. */
  readonly replica?: string | undefined
  /** Ids of the holder's policies that decided, and the version of their set. */
  readonly policies?: readonly string[] | undefined
  readonly policyVersion?: number | undefined
  /** Field paths that left, and those that were asked for and did not. */
  readonly released?: readonly string[] | undefined
  readonly withheld?: readonly string[] | undefined
  /** What a recipient knows of lists that were too long for the receipt: their hash. */
  readonly fields?: string | undefined
  /** Of a composite: what each part was about, and how it was answered. */
  readonly parts?: readonly ExchangePart[] | undefined
  /** What was sealed, as the receipt states it. */
  readonly sealed?: SealingClaims | undefined
  readonly status?: number | undefined
  /** Problem code of a denial or failure. */
  readonly problem?: string | undefined
  /** Hash of the request's signature base. */
  readonly requestHash?: string | undefined
  /** Hash of the response's content. */
  readonly responseHash?: string | undefined
  /** How much left of an answer that was streamed, up to its end or to where it was cut off; rows as the holder counts
   *  them. */
  readonly streamed?: { readonly bytes: number; readonly rows?: number | undefined } | undefined
  /** The receipt that the recipient got: hash of the JWS, and where the holder's log has the exchange. */
  readonly receipt?: { readonly hash: string; readonly log: string; readonly leaf: string } | undefined
  readonly durationMs?: number | undefined
  readonly upstreamMs?: number | undefined
}

const text = z.string().min(1).max(4096)
const hash = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/)
const duration = z.number().nonnegative()
const fields = z.array(text).max(4096)

const eventSchema = z.strictObject({
  type: z.literal('exchange'),
  id: text,
  role: z.enum(['holder', 'recipient']),
  outcome: z.enum(['intended', 'allowed', 'denied', 'failed', 'unknown']),
  time: z.int().nonnegative(),
  peer: text.optional(),
  key: text.optional(),
  product: text.optional(),
  version: text.optional(),
  operation: text.optional(),
  method: text,
  path: text.optional(),
  agreement: text.optional(),
  purpose: text.optional(),
  consent: z.strictObject({ id: text, rev: z.int().nonnegative(), hash }).optional(),
  via: z.array(text).max(16).optional(),
  reference: text.optional(),
  replica: text.optional(),
  policies: fields.optional(),
  policyVersion: z.int().nonnegative().optional(),
  released: fields.optional(),
  withheld: fields.optional(),
  fields: hash.optional(),
  parts: exchangePartsSchema.optional(),
  sealed: sealingClaimsSchema.optional(),
  status: z.int().min(100).max(599).optional(),
  problem: text.optional(),
  requestHash: hash.optional(),
  responseHash: hash.optional(),
  streamed: z.strictObject({ bytes: z.int().nonnegative(), rows: z.int().nonnegative().optional() }).optional(),
  receipt: z.strictObject({ hash, log: text, leaf: hash }).optional(),
  durationMs: duration.optional(),
  upstreamMs: duration.optional(),
})

/** The event as JSON, members in a fixed order, absent ones left out. This text is what the log commits to. */
export function exchangeEventBody(event: ExchangeEvent): string {
  return JSON.stringify({
    type: 'exchange',
    id: event.id,
    role: event.role,
    outcome: event.outcome,
    time: event.time,
    peer: event.peer,
    key: event.key,
    product: event.product,
    version: event.version,
    operation: event.operation,
    method: event.method,
    path: event.path,
    agreement: event.agreement,
    purpose: event.purpose,
    consent: event.consent,
    via: event.via,
    reference: event.reference,
    replica: event.replica,
    policies: event.policies,
    policyVersion: event.policyVersion,
    released: event.released,
    withheld: event.withheld,
    fields: event.fields,
    parts: event.parts,
    sealed: event.sealed,
    status: event.status,
    problem: event.problem,
    requestHash: event.requestHash,
    responseHash: event.responseHash,
    streamed: event.streamed,
    receipt: event.receipt,
    durationMs: event.durationMs,
    upstreamMs: event.upstreamMs,
  })
}

/** Reads an event's body. Throws `proof-invalid` when it is not exactly one. */
export function parseExchangeEvent(body: string): ExchangeEvent {
  const parsed = eventSchema.safeParse(parseBody(body))
  if (!parsed.success) {
    throw new Problem('proof-invalid', `the event is not an exchange`, { cause: parsed.error })
  }
  const { type: _, ...event } = parsed.data
  return event
}

function parseBody(body: string): unknown {
  try {
    return parseJson(body)
  } catch (cause) {
    throw new Problem('proof-invalid', 'the event is not JSON with distinct members', { cause })
  }
}

/** Compares a receipt with the event of the same exchange, written by either side. Gives the members that disagree;
 *  none when they tell the same story. */
export function checkReceiptMatchesEvent(claims: ReceiptClaims, event: ExchangeEvent): readonly string[] {
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['id', claims.jti, event.id],
    ['peer', event.role === 'holder' ? claims.aud : claims.iss, event.peer],
    ['product', claims.prd, event.product],
    ['version', claims.ver, event.version],
    ['operation', claims.op, event.operation],
    ['agreement', claims.agr, event.agreement],
    ['purpose', claims.pur, event.purpose],
    ['consent', consentText(claims.con), consentText(event.consent)],
    ['via', textOf(claims.via), textOf(event.via)],
    ['policies', textOf(claims.pol), textOf(policyNames(claims, event))],
    ...fieldPairs(claims, event),
    ['parts', partsText(claims), partsText(partsClaims(event.parts))],
    ['sealed', sealingText(claims.sea), sealingText(event.sealed)],
    ['status', claims.status, event.status],
    ['requestHash', claims.req, event.requestHash],
    ['responseHash', claims.res, event.responseHash],
    ...sidePairs(claims, event),
  ]
  return pairs.filter(([, receipt, log]) => receipt !== log).map(([member]) => member)
}

/** Lists are told apart member by member, whatever their members hold. */
function textOf(list: readonly string[] | undefined): string | undefined {
  return list && JSON.stringify(list)
}

/** Lists that were too long for the receipt stand in it as their hash; so they do in a recipient's event. */
function fieldPairs(claims: ReceiptClaims, event: ExchangeEvent): readonly (readonly [string, unknown, unknown])[] {
  if (claims.fld !== undefined) return [['fields', claims.fld, event.fields ?? fieldsHash(event)]]
  return [
    ['released', textOf(claims.rel), textOf(event.released)],
    ['withheld', textOf(claims.wit), textOf(event.withheld)],
    ['fields', undefined, event.fields],
  ]
}

/** A holder's event has all names; a receipt, and a recipient's event, a hash in the place of too many. */
function policyNames({ pol }: ReceiptClaims, { role, policies }: ExchangeEvent): readonly string[] | undefined {
  return role === 'holder' && pol !== undefined ? policyClaims(policies).pol : policies
}

function consentText(consent: ReceiptClaims['con']): string | undefined {
  return consent && JSON.stringify([consent.id, consent.rev, consent.hash])
}

/** The holder states the same moment in both; the recipient kept where the holder's log has the exchange. */
function sidePairs(claims: ReceiptClaims, event: ExchangeEvent): readonly (readonly [string, unknown, unknown])[] {
  if (event.role === 'holder') {
    return [
      ['time', claims.time, event.time],
      ['key', claims.key, event.key],
    ]
  }
  return [
    ['receipt.log', claims.log, event.receipt?.log],
    ['receipt.leaf', claims.leaf, event.receipt?.leaf],
  ]
}
