/** What a local application gets of a partner's answer. */
import { formatStringList } from '@comity/core/http-signatures/structured-fields'
import { Problem } from '@comity/core/problems'
import { problemReply, type Reply } from '../../http/problem-response.ts'
import type { Attempted } from './send-request.ts'
import type { RawAnswer } from './verify-answer.ts'

/** Fields of the partner's answer that the application gets, beside the receipt. `location` only of what was created:
 *  a partner must not send applications anywhere. */
const returnedFields = [
  'content-type',
  'content-language',
  'etag',
  'last-modified',
  'cache-control',
  'vary',
  'link',
  'location',
  'retry-after',
  'ratelimit',
  'ratelimit-policy',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'idempotency-replayed',
  'deprecation',
  'sunset',
  'comity-receipt',
]

/** What the application reads: the partner's verified answer, or why there is none. */
export function replyOf(id: string, attempted: Attempted): Reply {
  const own = ['comity-exchange', id]
  const { answer, verified, problem } = attempted
  if (answer === undefined || verified === undefined) {
    return problemReply(problem ?? new Problem('internal-error', 'the call ended without a reason'), id, own)
  }
  const headers = [...own, ...returnedHeaders(answer)]
  // As the receipt says it, which is signed.
  const withheld = verified.receipt?.claims.wit ?? []
  if (withheld.length > 0) headers.push('comity-fields-withheld', formatStringList(withheld))
  return { status: answer.status, headers, body: answer.body }
}

/** The fields of the answer that go on, name and value in turn. */
export function returnedHeaders(answer: RawAnswer): string[] {
  return returnedFields.flatMap((name) => {
    const value = answer.headers.get(name)
    return value === undefined || (name === 'location' && answer.status >= 300) ? [] : [name, value]
  })
}
