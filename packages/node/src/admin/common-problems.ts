/** What a call of the admin API may be answered with: what any may, and what its route declares. */
import type { ProblemCode } from '@comity/core/problems'
import type { AdminRoute } from './route.ts'

const always: readonly ProblemCode[] = [
  'malformed-request',
  'header-duplicated',
  'unauthorized',
  // Too many wrong tokens; of a `POST` also too many new idempotency keys.
  'rate-limited',
  'local-caller-refused',
  'request-timeout',
  'target-too-long',
  'headers-too-large',
  'internal-error',
  'storage-failed',
]
const withBody: readonly ProblemCode[] = ['body-too-large', 'unsupported-media-type']

/** A change whose version is named, or that may be repeated. */
const conditional: readonly ProblemCode[] = ['precondition-failed']
const repeated: readonly ProblemCode[] = [
  'idempotency-key-invalid',
  'idempotency-key-reused',
  'idempotency-in-progress',
  'outcome-unknown',
]

/** Why there is no answer of a partner's node that could be used. */
const unanswered: readonly ProblemCode[] = [
  'partner-unreachable',
  'partner-timeout',
  'tls-untrusted',
  'address-forbidden',
  'answer-invalid',
  'answer-unusable',
]

/** Every code that the route may answer with. */
export function declaredProblems(route: DeclaringRoute): readonly ProblemCode[] {
  const asked = route.asksPartner === true ? unanswered : []
  return [...new Set([...commonProblems(route), ...asked, ...(route.problems ?? [])])].toSorted()
}

type DeclaringRoute = Pick<AdminRoute, 'method' | 'reads' | 'asksPartner' | 'problems'>

/** A route that changes something writes it down, or does not do it. */
function commonProblems({ method, reads }: DeclaringRoute): readonly ProblemCode[] {
  if (method === 'GET') return always
  if (reads === true) return [...always, ...withBody]
  const change = [...always, 'record-failed', ...conditional] as const
  if (method === 'DELETE') return change
  return [...change, ...withBody, ...(method === 'POST' ? repeated : [])]
}
