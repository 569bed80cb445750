/** Step 9, `record intent`: before an unsafe call goes upstream, that it will is on disk. With an idempotency key the
 *  call is made once only, and a repetition gets the first one's answer. */
import { sha256 } from '@comity/core/crypto/crypto-node'
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { exchangeEventBody, type ExchangeEvent } from '@comity/core/exchange/event'
import { Problem } from '@comity/core/problems'
import { accountOf, isIdentified } from '../calling-party.ts'
import type { InboundCall, Step } from '../inbound-call.ts'
import { anonymous, type Intent, type IntentStore, type StoredIntent } from '../intent-store.ts'
import type { AuditLogPort } from '../ports.ts'
import { eventOf } from '../answered-exchange.ts'

export interface RecordIntentOptions {
  readonly auditLog: AuditLogPort
  readonly intents: IntentStore
  /** `caller key` of the unsafe calls under way in this process; shared with the step that ends them. */
  readonly running: Set<string>
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** RFC 9110 §9.2.1. */
export function isSafeMethod(method: string): boolean {
  return safeMethods.has(method)
}

/** The key as a structured-field string: quoted, printable ASCII, 1 to 128 characters. */
function idempotencyKeyOf(call: InboundCall): string | undefined {
  const field = call.request.header('idempotency-key')
  if (field === undefined) return undefined
  if (!isIdentified(call))
    throw new Problem('idempotency-key-invalid', 'an idempotency key needs a signed request, or an API key')
  const quoted = /^"([\x20\x21\x23-\x5b\x5d-\x7e]{1,128})"$/.exec(field)
  if (quoted === null)
    throw new Problem('idempotency-key-invalid', 'the field `idempotency-key` is not a quoted string')
  return quoted[1]
}

/** A kept answer is given again only under the very consent and for the very fields that it was made for, as
 *  policies leave them now. */
function fingerprintOf(call: InboundCall): string {
  const { method, path, query } = call.request
  const request = `${method} ${path}${query} ${encodeBase64url(sha256(call.body))}`
  if (call.release === undefined) return encodeBase64url(sha256(request))
  // A period that is told from the time of the call is another with every call.
  const parts = call.release.parts.map(({ grant, fields, givable, transforms, filters, groupsOf }) => ({
    groupsOf,
    givable,
    grant,
    fields,
    transforms,
    filters,
  }))
  const { consent, via = [] } = call.consent ?? {}
  return encodeBase64url(sha256(JSON.stringify([request, consent?.hash, call.purpose, via, parts])))
}

/** The intent of a call; `event` says what is about to happen. */
export function intentOf(
  call: InboundCall,
  idempotencyKey: string | undefined,
  event: ExchangeEvent = eventOf(call, 'intended'),
): Intent {
  const { signature } = call
  return {
    id: call.id,
    caller: accountOf(call) ?? anonymous,
    idempotencyKey,
    fingerprint: fingerprintOf(call),
    event: exchangeEventBody(event),
    startedMs: call.receivedAtMs,
    subject: call.consent?.key,
    nonce: signature && { keyid: signature.keyid, nonce: signature.nonce, expiresSeconds: signature.expires },
  }
}

/** What an earlier request with the same key means for this one. Gives true when its answer is replayed. */
function decideReplay(call: InboundCall, earlier: StoredIntent, fingerprint: string): boolean {
  if (earlier.fingerprint !== fingerprint) {
    throw new Problem('idempotency-key-reused', 'the idempotency key belongs to another request')
  }
  if (earlier.answer === undefined) {
    throw new Problem('outcome-unknown', `the outcome of exchange \`${earlier.id}\` with this key is not known`)
  }
  call.answer = { ...earlier.answer, headers: [...earlier.answer.headers, 'idempotency-replayed', earlier.id] }
  return true
}

export function recordIntent({ auditLog, intents, running }: RecordIntentOptions): Step {
  async function record(call: InboundCall, intent: Intent, key: string | undefined): Promise<void> {
    if (intent.idempotencyKey !== undefined) {
      const earlier = await intents.findByKey(intent.caller, intent.idempotencyKey)
      if (earlier && decideReplay(call, earlier, intent.fingerprint)) {
        call.intent = { key, idempotencyKey: intent.idempotencyKey, replayed: true }
        return
      }
    }
    const event = auditLog.prepare({
      id: `${call.id}:intent`,
      type: 'exchange',
      timeMs: call.receivedAtMs,
      body: intent.event,
      ...(intent.subject && { subject: intent.subject }),
    })
    // The upstream acts on the call now: a crash must not give back what it used of quotas.
    await auditLog.append(event, [intents.insert(intent), ...(call.limits?.statements() ?? [])])
    call.limits?.recorded()
    call.intent = { key, idempotencyKey: intent.idempotencyKey, replayed: false }
  }

  return {
    name: 'record intent',
    run(call) {
      if (isSafeMethod(call.request.method)) return
      const intent = intentOf(call, idempotencyKeyOf(call))
      const key = intent.idempotencyKey && `${intent.caller} ${intent.idempotencyKey}`
      if (key !== undefined && running.has(key)) {
        throw new Problem('idempotency-in-progress', 'the first request with this key is running', {
          members: { retryAfterSeconds: 1 },
        })
      }
      if (key !== undefined) running.add(key)
      return record(call, intent, key).catch((error: unknown) => {
        if (key !== undefined) running.delete(key)
        throw error
      })
    },
  }
}
