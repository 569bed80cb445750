/** Judges every answer that a test gets from the admin API by what its route declares: nothing that is not declared is
 *  ever answered. */
import assert from 'node:assert/strict'
import { Problem, type ProblemCode } from '@comity/core/problems'
import { adminRoutes } from '../src/admin/admin-routes.ts'
import { declaredProblems } from '../src/admin/common-problems.ts'
import type { AdminRoute } from '../src/admin/route.ts'
import { findRoute } from '../src/admin/routing.ts'
import { adminSchemas } from '../src/assembly/admin-schemas.ts'

/** Every route of the API. No route of it can be asked. */
export const declaredRoutes = adminRoutes({ consent: {}, policy: {}, schemas: adminSchemas } as never)

interface Answered {
  readonly status: number
  readonly text: string
  readonly json: unknown
  /** The test broke the node beneath: a fault is what it must answer. */
  readonly isBroken?: boolean | undefined
}

/** Fails for a status, a code or a member that the route does not declare. */
export function judgeAnswer(method: string, target: string, answer: Answered): void {
  const [path = ''] = target.split('?')
  const route = routeOf(method, path)
  if (route === undefined) return
  const name = `${route.method} ${route.path} answered ${answer.status}`
  if (method === 'HEAD' && answer.status >= 400) return
  if (answer.status >= 400) return judgeProblem(route, answer, name)
  if (answer.status === 304) return
  assert.equal(answer.status, route.status, `${name}: ${answer.text}`)
  if (method === 'HEAD') return
  if (route.result === undefined) assert.equal(answer.text, '', name)
  else {
    const judged = route.result.safeParse(answer.json)
    assert.ok(judged.success, `${name}: ${JSON.stringify(judged.error?.issues)}: ${answer.text}`)
  }
}

function judgeProblem(route: AdminRoute, { json, text, isBroken = false }: Answered, name: string): void {
  const { code } = json as { readonly code: ProblemCode }
  assert.ok(declaredProblems(route).includes(code), `${name} with the undeclared \`${code}\`: ${text}`)
  // What is not declared becomes one: a fault.
  assert.ok(isBroken || code !== 'internal-error', `${name}: ${text}`)
}

function routeOf(method: string, path: string): AdminRoute | undefined {
  try {
    return findRoute(declaredRoutes, method, path).route
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}
