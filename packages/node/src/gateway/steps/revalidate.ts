/** Step 11, its end, `revalidate`: what leaves gets a strong validator (RFC 9110 §8.8.3) of this node's own, and who has
 *  the very same already is told so instead. The validators of the upstream are about its whole answer; these are about
 *  what was released of it, keyed and other towards every caller, so that they tell nothing to who reads them. */
import { participantOf } from '../calling-party.ts'
import { contentHash } from '../content-hash.ts'
import { fieldValue } from '../field-value.ts'
import type { Answer, InboundCall, Step } from '../inbound-call.ts'

export interface RevalidateOptions {
  /** A keyed hash of a text, other towards every participant. */
  readonly keyedHash: (text: string, did: string) => string
}

const entityTags = /(?:W\/)?("[\x21\x23-\x7e]*")/g
/** Fields of an answer that are about content which a 304 does not have. */
const ofContent: ReadonlySet<string> = new Set(['content-type', 'content-language', 'content-length'])
const noBytes = new Uint8Array(0)

/** True when the field `If-None-Match` names the validator (RFC 9110 §13.1.2). */
export function namesValidator(field: string | undefined, etag: string): boolean {
  if (field === undefined) return false
  return field.trim() === '*' || [...field.matchAll(entityTags)].some(([, tag]) => tag === etag)
}

function withoutContent({ headers }: Answer, etag: string): Answer {
  const kept = headers.filter((_, index) => !ofContent.has(headers[index - (index % 2)] ?? ''))
  return { status: 304, headers: [...kept, 'etag', etag], body: noBytes }
}

/** Whole answers of success to a `GET`; one whose upstream named a validator of what leaves keeps that. */
function isToValidate(call: InboundCall): call is InboundCall & { answer: Answer } {
  const { request, answer, referral, resolved } = call
  if (request.method !== 'GET' || answer?.status !== 200 || answer.stream !== undefined) return false
  return referral === undefined && resolved === undefined && fieldValue(answer.headers, 'etag') === undefined
}

export function revalidate({ keyedHash }: RevalidateOptions): Step {
  return {
    name: 'revalidate',
    run(call) {
      if (!isToValidate(call)) return
      const { answer, request } = call
      const content = [fieldValue(answer.headers, 'content-type') ?? '', contentHash(answer.body)]
      const etag = `"${keyedHash(`etag ${content.join(' ')}`, participantOf(call) ?? '')}"`
      call.answer = namesValidator(request.header('if-none-match'), etag)
        ? withoutContent(answer, etag)
        : { ...answer, headers: [...answer.headers, 'etag', etag] }
    },
  }
}
