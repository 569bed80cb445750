/** The one error of the SDK: what the node answered (RFC 9457), or why there is no answer. Callers switch on `code`. */
import type { ProblemCode } from '@comity/core/problems'
import type { Receipt } from './receipt.ts'

/** What goes wrong on this side of the node, and what the reader can do about it. */
const remedies = {
  'invalid-call': 'Correct the arguments; nothing was sent.',
  'node-unreachable':
    'Check that the node runs at this address. An unsafe call may have taken effect: repeat it with its idempotency key.',
  'not-a-node': "Check the address: what answers there is not a Comity node's listener for applications.",
  'timed-out':
    'Allow more time with `timeoutMs`. An unsafe call may have taken effect: repeat it with its idempotency key.',
  'queue-full': 'Call less, or later; the limits of the product do not allow this many calls.',
  'queue-timeout': 'Call later, or allow more time with `timeoutMs`; the product takes no calls until then.',
  'answer-incomplete': 'Try again; an unsafe call with its idempotency key.',
  'answer-too-large': 'Ask for less at once, or raise `maxAnswerBytes`.',
  'answer-not-json': 'Use `request()`, which gives bytes and text of any content type.',
  redirected: 'Call the address in `location` yourself; redirects are not followed, since they may leave the product.',
  'error-status': 'Read `status` and `document`: this is the answer of the API itself.',
} as const

/** Codes of errors that no node stated. */
export type ClientErrorCode = keyof typeof remedies

/** Codes known today; a newer node may state others. */
export type ComityErrorCode = ProblemCode | ClientErrorCode | (string & Record<never, never>)

export interface ComityErrorFacts {
  readonly status?: number | undefined
  readonly remedy?: string | undefined
  readonly document?: unknown
  readonly exchangeId?: string | undefined
  readonly receipt?: Receipt | undefined
  readonly cause?: unknown
}

/** Messages hold no header values, no query and no body, so that they may be logged. */
export class ComityError extends Error {
  readonly code: ComityErrorCode
  /** Lower case, for people. */
  readonly detail: string
  /** HTTP status of the answer; undefined when there was none. */
  readonly status: number | undefined
  /** What would make it succeed. */
  readonly remedy: string | undefined
  /** The problem document, or whatever JSON the answer had. Undefined without either. */
  readonly document: unknown
  /** The own node's id of the exchange, for its log and its operator. */
  readonly exchangeId: string | undefined
  /** A refusal by the partner has its receipt too. */
  readonly receipt: Receipt | undefined

  constructor(code: ComityErrorCode, detail: string, facts: ComityErrorFacts = {}) {
    super(`${code}: ${detail}`, facts.cause === undefined ? {} : { cause: facts.cause })
    this.name = 'ComityError'
    this.code = code
    this.detail = detail
    this.status = facts.status
    this.remedy = facts.remedy ?? (remedies as Readonly<Record<string, string>>)[code]
    this.document = facts.document
    this.exchangeId = facts.exchangeId
    this.receipt = facts.receipt
  }
}

/** The call cannot be made as it was asked for. */
export function invalidCall(detail: string, cause?: unknown): ComityError {
  return new ComityError('invalid-call', detail, { cause })
}
