/** One call of a route: its conditions, its turn, its answer and the fields that tell of them. */
import { Problem } from '@comity/core/problems'
import { emptyReply, type Reply } from '../http/problem-response.ts'
import type { ReceivedRequest } from '../http/received-request.ts'
import type { Turns } from '../storage/turns.ts'
import type { Repeats } from './repeats.ts'
import type { AdminCall, AdminRoute } from './route.ts'
import { bodyOf, conditionOf, fieldsOfChange, isKnown, shownBy, tagOf } from './versions.ts'

const notStored = ['cache-control', 'no-store']

export interface RoutedCall extends AdminCall {
  readonly route: AdminRoute
  readonly routes: readonly AdminRoute[]
  readonly request: ReceivedRequest
}

interface CallParts {
  /** Changes of one thing come after one another, so that what a condition was true of is what is changed. */
  readonly turns: Turns
  readonly repeats: Repeats
}

/** Throws what the route throws, `precondition-failed`, and the problems of idempotency keys. */
export async function callRoute(parts: CallParts, call: RoutedCall): Promise<Reply> {
  const { route, request } = call
  if (route.method === 'GET') return shownReply(call, await route.answer(call))
  // A condition is not looked at, nor a key taken, for a call that would be refused anyway (RFC 9110 §13.2.1).
  route.judge(call)
  const undo = request.header('if-match') === undefined ? route.atOnce(call) : undefined
  const key = request.header('idempotency-key')
  if (key === undefined || route.method !== 'POST' || route.reads === true) return change(parts, call)
  const asked = { key, method: route.method, target: request.path + request.query, body: call.body }
  return parts.repeats
    .once(asked, () => change(parts, call))
    .catch((error: unknown) => {
      if (isNoCall(error)) undo?.()
      throw error
    })
}

/** Its key was wrong, or another call's: nothing was asked. */
function isNoCall(error: unknown): boolean {
  return error instanceof Problem && ['idempotency-key-invalid', 'idempotency-key-reused'].includes(error.code)
}

function change({ turns }: CallParts, { route, routes, request, ...call }: RoutedCall): Promise<Reply> {
  const shown = shownBy(routes, route)
  return turns(placeOf(shown ?? route, call.path), async () => {
    const field = request.header('if-match')
    const condition = field === undefined ? undefined : conditionOf(field, shown, call.path)
    if (route.guards !== true) await condition?.()
    const value = await route.answer({ ...call, condition })
    if (route.status === 204) return emptyReply(204, notStored)
    return reply(route.status, bodyOf(value), await fieldsOfChange({ route, routes, path: call.path }, value))
  })
}

/** What a call is about: all changes of it wait for each other. */
function placeOf({ path }: AdminRoute, given: AdminCall['path']): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => JSON.stringify(given[name]))
}

function shownReply({ route, request, query }: RoutedCall, value: unknown): Reply {
  const body = bodyOf(value)
  const tag = tagOf(route, value)
  const next = route.nextPage(query, value)
  const link = next === undefined ? [] : ['link', `<${request.path}?${new URLSearchParams(next)}>; rel="next"`]
  const fields = ['etag', tag, ...link]
  // Who asks again wants the figures too, of which the tag says nothing.
  if (route.live === undefined && isKnown(request.header('if-none-match'), tag))
    return emptyReply(304, [...notStored, ...fields])
  return reply(route.status, body, fields)
}

function reply(status: number, body: Uint8Array, fields: readonly string[] = []): Reply {
  return { status, headers: ['content-type', 'application/json', ...notStored, ...fields], body }
}
