/** Takes the events that other nodes tell (RFC 8935, push delivery). What an event changes, the note that its token
 *  was taken, and the log's entry are one transaction, so it counts exactly once however often it is sent. */
import {
  decideSecurityEvent,
  parseSecurityEvent,
  type SecurityEventRefusal,
  type UnverifiedSecurityEvent,
} from '@comity/core/events/security-event'
import type { VerifyingKey } from '@comity/core/crypto/crypto'
import { sha256Text } from '@comity/core/crypto/crypto-node'
import { verifyCompactJws } from '@comity/core/jws/compact'
import type { Clock } from '@comity/core/ports'
import { Problem, type ProblemCode } from '@comity/core/problems'
import { ZodError } from 'zod'
import type { Statement } from '../storage/database.ts'
import type { SubjectKey } from '../vault/vault.ts'
import type { EventStore } from './event-store.ts'

/** A verified event, told by a participant that this node listens to. */
export interface ReceivedEvent {
  /** DID. */
  readonly issuer: string
  /** The token's `jti`. */
  readonly id: string
  /** Event URI. */
  readonly type: string
  readonly payload: Readonly<Record<string, unknown>>
  /** When it happened, by the issuer's word. */
  readonly occurredMs: number
}

/** Gives the writes that the event brings about, made in one transaction with the note that it was taken. May run
 *  again for the same event when that transaction fails. Throws `event-invalid`, or what a schema throws, for a payload
 *  that is not right. */
export type EventHandler = (event: ReceivedEvent) => Promise<readonly Statement[] | EffectsAboutPerson>

/** What an event brings about whose token names or describes a person. */
export interface EffectsAboutPerson {
  readonly effects: readonly Statement[]
  /** Under which the log keeps the token; undefined when there is none, or the person was erased: then the log has the
   *  token's hash only. */
  readonly subject: SubjectKey | undefined
}

/** An event as the log is to have it. */
export interface EventToLog {
  readonly id: string
  readonly type: string
  readonly timeMs: number
  readonly body: string
  /** Under which body and salt are sealed. */
  readonly subject?: SubjectKey | undefined
  /** What was received, for who is told of it now; not to be kept. */
  readonly token: string
}

/** An answer of `POST /events`. */
export type InboxAnswer =
  | { readonly status: 202 }
  | {
      readonly status: 400
      /** Content, `application/json` (RFC 8935 §2.3). */
      readonly error: SecurityEventRefusal
    }

export interface InboxParts {
  /** Own DID. */
  readonly did: string
  readonly store: EventStore
  readonly clock: Clock
  readonly newId: () => string
  readonly resolveKey: (keyid: string, purpose: 'assertionMethod') => Promise<VerifyingKey>
  /** True for participants whose events count here. */
  readonly acceptsIssuer: (did: string) => boolean | Promise<boolean>
  /** By event URI. */
  readonly handlers: ReadonlyMap<string, EventHandler>
  /** Writes an event of the log and the statements in one transaction. */
  readonly record: (event: EventToLog, effects: readonly Statement[]) => Promise<unknown>
}

export interface Inbox {
  /** Takes a token. Throws when it cannot be judged or kept now (`did-unresolvable`, `record-failed`): the sender
   *  shall try again. */
  receive(token: string): Promise<InboxAnswer>
}

const dayMs = 24 * 3_600_000
/** How long tokens are remembered; older ones are refused. */
const memoryDays = 90

export function createInbox(parts: InboxParts): Inbox {
  /** By issuer and id: the same token twice at the same time is judged once. */
  const inProgress = new Map<string, Promise<void>>()
  let forgottenAtMs = 0

  const take = async (event: UnverifiedSecurityEvent, token: string): Promise<void> => {
    const { store, clock } = parts
    const { iss, jti } = event.claims
    if (await store.hasReceived(iss, jti)) return
    const known = await effectsOf(parts, event)
    // RFC 8417 §2: events that are not understood are ignored.
    if (known === undefined) return
    const nowMs = clock.now()
    const isForgetting = nowMs - forgottenAtMs > dayMs
    const forget = isForgetting ? [store.deleteReceivedBefore(nowMs - memoryDays * dayMs)] : []
    const id = parts.newId()
    const type = 'event-received'
    const { subject, effects } = known
    const body = JSON.stringify({ type, id, time: nowMs, issuer: iss, ...keptOf(known, token) })
    await parts.record({ id, type, timeMs: nowMs, body, subject, token }, [
      store.insertReceived(iss, jti, nowMs),
      ...forget,
      ...effects,
    ])
    if (isForgetting) forgottenAtMs = nowMs
  }

  return {
    receive: (token) =>
      answering(async () => {
        const event = await verifyEvent(parts, token)
        if ('err' in event) return event
        const key = JSON.stringify([event.claims.iss, event.claims.jti])
        const running = inProgress.get(key) ?? take(event, token).finally(() => inProgress.delete(key))
        inProgress.set(key, running)
        await running
        return undefined
      }),
  }
}

/** The event, or why it is not taken. Throws what the signature and the key say. */
async function verifyEvent(parts: InboxParts, token: string): Promise<UnverifiedSecurityEvent | SecurityEventRefusal> {
  const event = parseSecurityEvent(token)
  const facts = { audience: parts.did, nowMs: parts.clock.now(), maxAgeSeconds: (memoryDays * dayMs) / 1000 }
  const refusal = decideSecurityEvent(event.claims, facts)
  if (refusal !== undefined) return refusal
  const { iss } = event.claims
  if (!(await parts.acceptsIssuer(iss))) {
    return { err: 'invalid_issuer', description: `events of \`${iss}\` are not taken here` }
  }
  verifyCompactJws(event.jws, await parts.resolveKey(event.keyid, 'assertionMethod'))
  return event
}

/** The writes of all events that have a handler; undefined when none has. */
async function effectsOf(
  { handlers, clock }: InboxParts,
  { claims }: UnverifiedSecurityEvent,
): Promise<Brought | undefined> {
  const known = Object.entries(claims.events).flatMap(([type, payload]) => {
    const handle = handlers.get(type)
    return handle === undefined ? [] : [{ type, payload, handle }]
  })
  if (known.length === 0) return undefined
  const occurredMs = claims.toe === undefined ? clock.now() : claims.toe * 1000
  const all: Brought[] = []
  for (const { type, payload, handle } of known) {
    const event = { issuer: claims.iss, id: claims.jti, type, payload, occurredMs }
    const brought = await handling(handle, event)
    all.push('effects' in brought ? { ...brought, isPersonal: true } : { ...blank, effects: brought })
  }
  const subjects = all.flatMap(({ subject }) => (subject === undefined ? [] : [subject]))
  const [only] = subjects
  return {
    effects: all.flatMap(({ effects }) => effects),
    // A token about several people is nobody's alone.
    subject: subjects.every(({ handle }) => handle === only?.handle) ? only : undefined,
    isPersonal: all.some(({ isPersonal }) => isPersonal),
  }
}

/** What an event's handlers say of it. */
interface Brought extends EffectsAboutPerson {
  readonly isPersonal: boolean
}

const blank = { subject: undefined, isPersonal: false } as const

/** What the log has of a token: the token itself, unless it tells of a person and there is no key to seal it under. */
function keptOf({ subject, isPersonal }: Brought, token: string): Readonly<Record<string, string>> {
  if (!isPersonal || subject !== undefined) return { token }
  return { tokenHash: sha256Text(token, 'base64url') }
}

async function handling(handle: EventHandler, event: ReceivedEvent): ReturnType<EventHandler> {
  try {
    return await handle(event)
  } catch (cause) {
    if (!(cause instanceof ZodError)) throw cause
    throw new Problem('event-invalid', `the payload of \`${event.type}\` is not right`, { cause })
  }
}

/** Problems that are the sender's, by their RFC 8935 error code. All others are the node's own, or pass. */
const senderErrors: Readonly<Partial<Record<ProblemCode, SecurityEventRefusal['err']>>> = {
  'event-invalid': 'invalid_request',
  'malformed-jws': 'invalid_request',
  'key-unknown': 'invalid_key',
  'malformed-key': 'invalid_key',
  'signature-algorithm': 'invalid_key',
  'did-invalid': 'invalid_issuer',
  'signature-invalid': 'authentication_failed',
}

async function answering(work: () => Promise<SecurityEventRefusal | undefined>): Promise<InboxAnswer> {
  try {
    const error = await work()
    return error === undefined ? { status: 202 } : { status: 400, error }
  } catch (error) {
    const err = error instanceof Problem ? senderErrors[error.code] : undefined
    if (err === undefined || !(error instanceof Problem)) throw error
    return { status: 400, error: { err, description: error.message } }
  }
}
