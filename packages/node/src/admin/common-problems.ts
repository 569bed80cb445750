/** What any call of the admin API may be answered with, beside what its route declares. */
import type { ProblemCode } from '@comity/core/problems'
import type { AdminRoute } from './route.ts'

const always: readonly ProblemCode[] = [
  'malformed-request',
  'header-duplicated',
  'unauthorized',
  'local-caller-refused',
  'request-timeout',
  'target-too-long',
  'internal-error',
  'storage-failed',
]
const withBody: readonly ProblemCode[] = ['body-too-large', 'unsupported-media-type']

/** A route that changes something writes it down, or does not do it. */
export function commonProblems({ method }: Pick<AdminRoute, 'method'>): readonly ProblemCode[] {
  if (method === 'GET') return always
  return [...always, 'record-failed', ...(method === 'DELETE' ? [] : withBody)]
}
