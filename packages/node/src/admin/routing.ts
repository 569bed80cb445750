/** Finds the route of an admin call. Paths are compared as sent, parameters decoded once: there is no second spelling. */
import { Problem } from '@comity/core/problems'

export type RouteMethod = 'GET' | 'POST' | 'DELETE'

/** One call, read. */
export interface AdminCall {
  /** The parameters of the path, decoded. */
  readonly path: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  /** The JSON value of the body; undefined for methods without one. */
  readonly body: unknown
}

export interface AdminRoute {
  readonly method: RouteMethod
  /** `/v1/partners/{alias}`. */
  readonly path: string
  /** Status of a success; 204 has no content. 200 unless told. */
  readonly status?: 200 | 201 | 204
  /** Largest body, in bytes; 1 MiB unless told. */
  readonly maxBodyBytes?: number
  /** Gives the JSON value of the answer. */
  answer(call: AdminCall): Promise<unknown> | unknown
}

export interface FoundRoute {
  readonly route: AdminRoute
  readonly path: Readonly<Record<string, string>>
}

/** Throws `not-found`, `method-not-allowed`, and `malformed-request` for a parameter that cannot be decoded. */
export function findRoute(routes: readonly AdminRoute[], method: string, path: string): FoundRoute {
  const segments = path.split('/')
  const there = routes.filter((route) => matches(route.path.split('/'), segments))
  if (there.length === 0) throw new Problem('not-found', 'the admin API has no such address')
  const wanted = method === 'HEAD' ? 'GET' : method
  const route = there.find((candidate) => candidate.method === wanted)
  if (route === undefined) {
    const allow = there.flatMap((candidate) => (candidate.method === 'GET' ? ['GET', 'HEAD'] : [candidate.method]))
    throw new Problem('method-not-allowed', 'this address is not there with this method', { members: { allow } })
  }
  return { route, path: parametersOf(route.path.split('/'), segments) }
}

const isParameter = (part: string): boolean => part.startsWith('{')

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false
  return pattern.every((part, index) => (isParameter(part) ? segments[index] !== '' : part === segments[index]))
}

function parametersOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> {
  const named = pattern.flatMap((part, index) =>
    isParameter(part) ? [[part.slice(1, -1), decode(segments[index] ?? '')] as const] : [],
  )
  return Object.fromEntries(named)
}

function decode(segment: string): string {
  let text: string
  try {
    text = decodeURIComponent(segment)
  } catch (cause) {
    throw new Problem('malformed-request', 'the path holds an escape that is not UTF-8', { cause })
  }
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) throw new Problem('malformed-request', 'the path holds a control character')
  return text
}
