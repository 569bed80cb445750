/** The one place that turns an error into `application/problem+json` (RFC 9457). */
import { Problem, problemDocument } from '@comity/core/problems'
import type { ReplyStream } from './reply-stream.ts'

/** An answer ready to be written: status, flat header list, body. */
export interface Reply {
  readonly status: number
  /** Name, value, name, value … as Node writes them without copying. */
  readonly headers: readonly string[]
  readonly body: Uint8Array
  /** Instead of `body`, which is empty then: one that is made while it leaves. */
  readonly stream?: ReplyStream | undefined
}

const encoder = new TextEncoder()
const noBody = new Uint8Array(0)

/** Fields that an HTTP client acts upon, taken from a problem's members. */
function actionFields(problem: Problem): string[] {
  const fields: string[] = []
  const { retryAfterSeconds, allow } = problem.members
  if (typeof retryAfterSeconds === 'number')
    fields.push('retry-after', String(Math.max(1, Math.ceil(retryAfterSeconds))))
  // RFC 9110 §15.5.2 wants one with each 401; signatures (RFC 9421) have no scheme of their own.
  if (problem.status === 401) fields.push('www-authenticate', 'Bearer realm="comity"')
  if (Array.isArray(allow)) fields.push('allow', allow.join(', '))
  return fields
}

/** The reply of a problem. `requestId` lets the reader and the operator talk about the same event. */
export function problemReply(problem: Problem, requestId: string, headers: readonly string[] = []): Reply {
  const document = { ...problemDocument(problem), requestId }
  return {
    status: problem.status,
    headers: [
      'content-type',
      'application/problem+json',
      'cache-control',
      'no-store',
      ...actionFields(problem),
      ...headers,
    ],
    body: encoder.encode(JSON.stringify(document)),
  }
}

/** Any thrown value as a `Problem`: an unknown one becomes a bare `internal-error` that tells nothing. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  return new Problem('internal-error', 'something failed inside the node', { cause: error })
}

/** A JSON reply. */
export function jsonReply(status: number, value: unknown, headers: readonly string[] = []): Reply {
  return {
    status,
    headers: ['content-type', 'application/json', ...headers],
    body: encoder.encode(JSON.stringify(value)),
  }
}

/** A text reply. */
export function textReply(status: number, text: string, contentType = 'text/plain; charset=utf-8'): Reply {
  return { status, headers: ['content-type', contentType], body: encoder.encode(text) }
}

/** A reply without a body. */
export function emptyReply(status: number, headers: readonly string[] = []): Reply {
  return { status, headers, body: noBody }
}
