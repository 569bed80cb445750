/** Writes exchanges to the log, with what proves them, in one durable transaction. */
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { exchangeEventBody } from '@comity/core/exchange/event'
import { receiptSigner, type ReceiptClaims } from '@comity/core/exchange/receipt'
import type { ProblemCode } from '@comity/core/problems'
import type { Statement } from '../storage/database.ts'
import type { SubjectKey, SubjectVault } from '../vault/vault.ts'
import { answeredEvent, answeredOpenings, answeredRow, claimsOf, subjectKeyOf } from './answered-exchange.ts'
import { participantOf } from './calling-party.ts'
import type { Answer, InboundCall } from './inbound-call.ts'
import { ownCaller, type Intent, type IntentStore } from './intent-store.ts'
import type { LimitHold } from './limit-port.ts'
import type { AuditLogPort, IdentityPort, NamedKey, PreparedEvent } from './ports.ts'
import { pairwiseIn } from './outbound/outbound-consent.ts'
import type { RefusedCall } from './outbound/outbound-parties.ts'
import { presentedConsent } from './outbound/presented-consent.ts'
import { mayNameSomebody, sentEvent, sentOpenings, sentRow, type SentExchange } from './outbound/sent-exchange.ts'

export interface ExchangeRecorder {
  /** Holder: prepares the event and, for an identified caller of a known product, the receipt. No I/O. */
  prepareAnswered(call: InboundCall, answer: Answer, nowMs: number): PreparedOutcome
  /** Holder: durable on return, together with `effects` and with what the call used of quotas. Throws `record-failed`. */
  recordAnswered(call: InboundCall, outcome: PreparedOutcome, effects: readonly Statement[]): Promise<void>
  /** Recipient: durable on return. Throws `record-failed`. */
  recordSent(sent: SentExchange): Promise<void>
  /** Recipient: a streamed answer is about to be passed on. Durable on return; `recordSent` follows. */
  recordPassing(sent: SentExchange): Promise<void>
  /** Recipient: a call of an application that this node itself refused. Durable on return. */
  recordUnsent(refused: UnsentExchange): Promise<void>
}

export interface UnsentExchange extends RefusedCall {
  readonly id: string
  readonly method: string
  readonly problem: ProblemCode
  readonly timeMs: number
}

export interface PreparedOutcome {
  readonly event: PreparedEvent
  readonly receipt: string | undefined
}

export interface RecorderParts {
  readonly auditLog: AuditLogPort
  readonly identity: IdentityPort
  readonly vault: Pick<SubjectVault, 'handleOf' | 'open'>
  readonly intents: Pick<IntentStore, 'insert' | 'forget'>
  /** Exchange ids of intents whose calls ended without a record of how. */
  readonly unsettled: Set<string>
}

/** Recorder on the node's log. */
export function createExchangeRecorder({ auditLog, identity, vault, ...streams }: RecorderParts): ExchangeRecorder {
  const signWith = rememberSigner()
  return {
    prepareAnswered(call, answer, nowMs) {
      const facts = answeredEvent(call, answer, nowMs)
      const subject = subjectKeyOf(call)
      const event = auditLog.prepare({
        id: call.id,
        type: 'exchange',
        timeMs: facts.time,
        body: exchangeEventBody(facts),
        ...(subject && { subject }),
      })
      if (participantOf(call) === undefined || call.product === undefined) return { event, receipt: undefined }
      const log = { origin: auditLog.origin, leaf: encodeBase64url(event.leafHash) }
      const claims = claimsOf(facts, { by: identity.did, atMs: nowMs }, log)
      return { event, receipt: signWith(identity.assertionKey())(claims) }
    },
    async recordAnswered(call, { event, receipt }, effects) {
      const held = limitsOf(call)
      const used = held.flatMap((limits) => limits.statements())
      await auditLog.append(event, [answeredRow(call, receipt), ...answeredOpenings(call), ...effects, ...used])
      for (const limits of held) limits.recorded()
    },
    async recordSent(sent) {
      const subject = await subjectOf(sent, vault)
      const body = exchangeEventBody(sentEvent(sent))
      const event = auditLog.prepare({
        id: sent.id,
        type: 'exchange',
        timeMs: sent.startedMs,
        body,
        ...(subject && { subject }),
      })
      const key = subject ?? (mayNameSomebody(sent) ? await vault.open(handleOfRefused(vault)) : undefined)
      const effects = [sentRow(sent, key), ...sentOpenings(sent, key)]
      await settling(sent, streams, (ended) => auditLog.append(event, [...effects, ...ended]))
    },
    async recordPassing(sent) {
      const subject = await subjectOf(sent, vault)
      const body = exchangeEventBody({ ...sentEvent(sent), outcome: 'intended', status: sent.attempted.answer?.status })
      const id = `${sent.id}:intent`
      const event = auditLog.prepare({
        id,
        type: 'exchange',
        timeMs: sent.startedMs,
        body,
        ...(subject && { subject }),
      })
      await auditLog.append(event, [streams.intents.insert(passingIntent(sent, body, subject))])
    },
    async recordUnsent({ id, timeMs, ...facts }) {
      const body = exchangeEventBody({ id, role: 'recipient', outcome: 'denied', time: timeMs, ...facts })
      await auditLog.append(auditLog.prepare({ id, type: 'exchange', timeMs, body }))
    },
  }
}

/** What a crash leaves of a streamed answer that is being passed on. */
function passingIntent({ id, startedMs }: SentExchange, event: string, subject: SubjectKey | undefined): Intent {
  return {
    id,
    caller: ownCaller,
    idempotencyKey: undefined,
    fingerprint: '',
    event,
    startedMs,
    subject,
    nonce: undefined,
  }
}

/** Ends the intent of a streamed answer together with the record of how it ended; without that record it stays open. */
async function settling(
  { id, streamed }: SentExchange,
  { intents, unsettled }: Pick<RecorderParts, 'intents' | 'unsettled'>,
  append: (ended: readonly Statement[]) => Promise<unknown>,
): Promise<void> {
  try {
    await append(streamed === undefined ? [] : [intents.forget(id)])
  } catch (error) {
    if (streamed !== undefined) unsettled.add(id)
    throw error
  }
}

/** The limits of a call and of its parts. */
function limitsOf({ limits, parts, partLimits }: InboundCall): readonly LimitHold[] {
  const ofParts = parts?.flatMap(({ call }) => call.limits ?? []) ?? partLimits
  return limits === undefined ? ofParts : [limits, ...ofParts]
}

/** Handle of the key of calls that were refused before anybody said whether they are about a person. */
function handleOfRefused(vault: RecorderParts['vault']): string {
  return vault.handleOf('\u0000refused-calls')
}

/** The key for whom a sent call was about: to a recipient the person's name is the pairwise id, of the consent that it
 *  presented, or as the call names it. */
async function subjectOf({ request }: SentExchange, vault: RecorderParts['vault']): Promise<SubjectKey | undefined> {
  const { path, query, headers } = request
  const presented = presentedConsent(headers.get('authorization'))
  const subject =
    request.about ?? presented?.subject ?? pairwiseIn({ path, query, header: (name) => headers.get(name) })
  return subject === undefined ? undefined : vault.open(vault.handleOf(subject))
}

/** The receipt signer of the current key, made anew when the key changes. */
function rememberSigner(): (named: NamedKey) => (claims: ReceiptClaims) => string {
  let known: { keyid: string; sign: (claims: ReceiptClaims) => string } | undefined
  return ({ keyid, key }) => {
    if (known?.keyid !== keyid) known = { keyid, sign: receiptSigner(key, keyid) }
    return known.sign
  }
}
