/** Using a replica: whether it may answer, the record of its use, and the answer. */
import { encodeBase64 } from '@comity/core/bytes/base64'
import { parsePlainJson } from '@comity/core/bytes/exact-json'
import { JsonFault } from '@comity/core/bytes/json-scan'
import { utf8Text } from '@comity/core/bytes/utf8'
import { exchangeEventBody, type ExchangeEvent } from '@comity/core/exchange/event'
import { parseReceipt } from '@comity/core/exchange/receipt'
import type { Reply } from '../http/problem-response.ts'
import { fieldOf } from './keep-answer.ts'
import { keyUnlessErased, openContent, openOwn } from './kept-content.ts'
import { replicaField, replicaMediaType, type ReplicaQuestion } from './replica-question.ts'
import { decideUse, type UseVerdict } from './replica-rules.ts'
import type { ReplicasParts } from './replica-ports.ts'
import type { Replica, ReplicaContent, ReplicaReason } from './replica.ts'

/** Whether it may be used now. */
export async function judgeReplica(parts: ReplicasParts, replica: Replica, maxAgeMs: number): Promise<UseVerdict> {
  const { holder, product, operation, purpose, agreement, held } = replica
  const consent = held === undefined ? undefined : await parts.held.find(held)
  return decideUse({
    replica,
    consent,
    hasAgreement: agreement === undefined || parts.hasAgreement({ holder, product, operation, purpose, agreement }),
    maxAgeMs,
    nowMs: parts.clock.now(),
  })
}

/** Asks the holder how the consent stands, where that is all that is missing. */
export async function confirmReplica(parts: ReplicasParts, held: string): Promise<void> {
  await parts.held.refresh(held)
  const nowMs = parts.clock.now()
  const known = await parts.held.find(held)
  if (known?.state === 'active') await parts.execute([parts.store.confirm(held, nowMs)])
}

export interface UseOfReplica {
  readonly id: string
  readonly startedMs: number
  readonly question: ReplicaQuestion
  /** `hit`, or `revalidated` when the holder has just said that it would answer the same. */
  readonly how: 'hit' | 'revalidated'
}

/** The answer from a replica that may be used. INVARIANT: the use is in the log before the application gets anything, and
 *  a consent that ended until then gives nothing. Gives the reason when there is no answer. */
export async function answerFrom(
  parts: ReplicasParts,
  replica: Replica,
  use: UseOfReplica,
): Promise<{ readonly reply: Reply } | { readonly reason: ReplicaReason }> {
  const content = await openContent(parts.vault, replica)
  const key = await keyUnlessErased(parts.vault, replica.subject)
  if (content === undefined || key === undefined) return { reason: 'emptied' }
  const body = exchangeEventBody(eventOf(parts, replica, { use, content }))
  const event = { id: use.id, type: 'exchange', timeMs: use.startedMs, body } as const
  await parts.record(replica.subject === undefined ? event : { ...event, subject: key })
  const now = await parts.store.find(replica.id)
  if (now === undefined || now.exchange !== replica.exchange) return { reason: 'emptied' }
  const verdict = await judgeReplica(parts, now, Number.MAX_SAFE_INTEGER)
  if (!verdict.allowed) return verdict
  return { reply: replyOf(parts, now, { use, content, own: await openOwn(parts.vault, now) }) }
}

interface Used {
  readonly use: UseOfReplica
  readonly content: ReplicaContent
}

/** The use as the log has it: an exchange of the recipient's that reached nobody, and the one that it goes back to. */
function eventOf({ clock }: ReplicasParts, replica: Replica, { use, content }: Used): ExchangeEvent {
  const { claims } = parseReceipt(content.receipt)
  return {
    id: use.id,
    role: 'recipient',
    outcome: 'allowed',
    time: use.startedMs,
    peer: replica.holder,
    product: replica.product,
    version: replica.version,
    operation: replica.operation,
    method: 'GET',
    agreement: claims.agr,
    purpose: replica.purpose,
    consent: claims.con,
    via: claims.via,
    replica: replica.exchange,
    released: claims.rel,
    withheld: claims.wit,
    fields: claims.fld,
    status: 200,
    durationMs: Math.max(0, clock.now() - use.startedMs),
  }
}

/** Says what it comes from: `hit;id="…";exchange="…"`. */
export function replicaNote(how: string, { id, exchange }: Pick<Replica, 'id' | 'exchange'>): string {
  return `${how};id="${id}";exchange="${exchange.replace(/[^\x20-\x7e]|["\\]/g, '')}"`
}

function replyOf(
  { clock }: ReplicasParts,
  replica: Replica,
  { use, content, own }: Used & { readonly own: string | undefined },
): Reply {
  const ageSeconds = Math.max(0, Math.floor((clock.now() - replica.validatedMs) / 1_000))
  const data = Buffer.from(content.body, 'base64')
  const about = [
    'age',
    String(ageSeconds),
    replicaField,
    replicaNote(use.how, replica),
    'comity-exchange',
    use.id,
    'comity-receipt',
    content.receipt,
  ]
  const isWithOwn = use.question.wantsOwn && isJson(fieldOf(content, 'content-type'))
  if (!isWithOwn) return { status: 200, headers: [...content.headers, ...about], body: data }
  return { status: 200, headers: [...withType(content.headers), ...about], body: withOwn(data, own) }
}

/** The data as they came, to the last digit, and the own fields beside. What is not one JSON value that every program reads
 *  alike stands as `text`, or `base64` where it is no text: nothing of it can be taken for what this organisation says. */
export function withOwn(data: Uint8Array, own: string | undefined): Buffer {
  return Buffer.concat([Buffer.from('{'), memberOf(data), Buffer.from(`,"own":${own ?? 'null'}}`)])
}

function memberOf(data: Uint8Array): Buffer {
  try {
    const text = utf8Text(data)
    if (isOneValue(text)) return Buffer.concat([Buffer.from('"data":'), data])
    return Buffer.from(`"text":${JSON.stringify(text)}`)
  } catch {
    return Buffer.from(`"base64":${JSON.stringify(encodeBase64(data))}`)
  }
}

function isOneValue(text: string): boolean {
  try {
    parsePlainJson(text)
    return true
  } catch (error) {
    if (error instanceof JsonFault) return false
    throw error
  }
}

export function isJson(contentType = ''): boolean {
  return /^application\/(?:[\w.-]+\+)?json *(?:;|$)/i.test(contentType)
}

/** The validator is one of the data alone. */
export function withType(headers: readonly string[]): string[] {
  const kept = headers.filter((_, index) => !['content-type', 'etag'].includes(headers[index - (index % 2)] ?? ''))
  return ['content-type', replicaMediaType, ...kept]
}
