/** Keeps what the admin API declares: a route answers with no other problem than those that it names. */
import { Problem } from '@comity/core/problems'
import { asProblem } from '../http/problem-response.ts'
import { declaredProblems } from './common-problems.ts'
import type { AdminRoute } from './route.ts'

/** What was thrown as the route may answer it. An undeclared problem is the doing of the partner whose node was asked
 *  (`answer-unusable`), else a fault of this node (`internal-error`); `cause` is what was thrown. */
export function asDeclared(route: AdminRoute, error: unknown): Problem {
  const problem = asProblem(error)
  if (declaredProblems(route).includes(problem.code)) return problem
  if (route.asksPartner === true) {
    return new Problem('answer-unusable', 'what the partner’s node answered cannot be used', { cause: problem })
  }
  return new Problem('internal-error', 'something failed inside the node', { cause: problem })
}
