/** Asking the partner where no replica answers: with the validator of what is kept, so that what has not changed is not
 *  sent again; and what becomes of the replica then. */
import type { Reply } from '../http/problem-response.ts'
import type { ReceivedRequest } from '../http/received-request.ts'
import { claimsOfReply, fieldOf, keepAnswer, keepOn, type Asked } from './keep-answer.ts'
import { isJson, replicaNote, withOwn, withType } from './use-replica.ts'
import { openContent, openOwn } from './kept-content.ts'
import { replicaField } from './replica-question.ts'
import { maxReplicaBytes } from './replica-rules.ts'
import type { ReplicasParts } from './replica-ports.ts'
import type { Replica } from './replica.ts'

export interface AskOptions {
  readonly request: ReceivedRequest
  readonly takesStream: boolean
  /** Undefined where nothing is configured to be kept. */
  readonly asked: Asked | undefined
  readonly replica: Replica | undefined
  readonly wantsOwn: boolean
}

/** The partner's answer; or what is kept, when the partner says that it is what it would answer. */
export type PartnerSaid = { readonly reply: Reply } | { readonly same: Replica }

const noBody = new Uint8Array(0)

/** The request as it goes out: the application's own validators are not the partner's. */
function requestOf({ request, asked }: AskOptions, etag: string | undefined): ReceivedRequest {
  if (asked === undefined) return request
  const fields: Record<string, string> = { ...asked.request.headers, ...(etag && { 'if-none-match': etag }) }
  const headers = new Map(Object.entries(fields))
  return { ...request, headers, header: (name) => headers.get(name) }
}

/** A refusal of the holder's to somebody whose replica it was. */
function isRefusal({ status }: Reply): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429
}

export async function askPartner(parts: ReplicasParts, options: AskOptions): Promise<PartnerSaid> {
  const { replica, asked, takesStream } = options
  const content = replica && (await openContent(parts.vault, replica))
  // What may be kept is read whole; what is longer passes.
  const wholeUpTo = asked && maxReplicaBytes
  const send = (etag?: string) =>
    parts.call({ request: requestOf(options, etag), body: () => noBody, takesStream, wholeUpTo })
  const reply = await send(content?.etag)
  if (asked === undefined) return noted(reply, 'none;reason="not-configured"')
  if (reply.status === 304 && replica !== undefined) {
    const kept = await keepOn(parts, { asked, replica, reply })
    if (kept.kept) return { same: kept.replica }
    // It may be read once more, but is not kept.
    return keepFresh(parts, options, await send())
  }
  if (replica !== undefined && isRefusal(reply) && claimsOfReply(reply) !== undefined) {
    await parts.execute(parts.store.emptyOne(replica.id, parts.clock.now()))
  }
  return keepFresh(parts, options, reply)
}

async function keepFresh(
  parts: ReplicasParts,
  { asked, replica, wantsOwn }: AskOptions,
  reply: Reply,
): Promise<PartnerSaid> {
  if (asked === undefined || reply.status >= 300) return noted(reply, 'none;reason="not-an-answer"')
  const kept = await keepAnswer(parts, asked, reply)
  if (!kept.kept) {
    // What may not be kept any longer does not stay because it was kept before.
    if (replica !== undefined) await parts.execute(parts.store.emptyOne(asked.id, parts.clock.now()))
    return noted(wantsOwn ? beside(reply, undefined) : reply, `none;reason="${kept.reason}"`)
  }
  const note = replicaNote('stored', kept.replica)
  if (!wantsOwn) return noted(reply, note)
  const row = await parts.store.find(kept.replica.id)
  return noted(beside(reply, row && (await openOwn(parts.vault, row))), note)
}

/** The partner's answer with the own fields beside. */
function beside(reply: Reply, own: string | undefined): Reply {
  if (reply.stream !== undefined || !isJson(fieldOf(reply, 'content-type'))) return reply
  return { ...reply, headers: withType(reply.headers), body: withOwn(reply.body, own) }
}

function noted(reply: Reply, note: string): PartnerSaid {
  return { reply: { ...reply, headers: [...reply.headers, replicaField, note] } }
}
