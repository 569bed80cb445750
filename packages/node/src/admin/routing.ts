/** Finds the route of an admin call. Paths are compared as sent, parameters decoded once: there is no second spelling. */
import { Problem } from '@comity/core/problems'
import type { AdminRoute } from './route.ts'

export interface FoundRoute {
  readonly route: AdminRoute
  readonly path: Readonly<Record<string, string>>
}

/** Throws `not-found`, `method-not-allowed`, and `malformed-request` for a parameter that cannot be decoded. */
export function findRoute(routes: readonly AdminRoute[], method: string, path: string): FoundRoute {
  const segments = path.split('/')
  const matching = routes.filter((route) => matches(route.path.split('/'), segments))
  // `/v1/agreements/sign` is no agreement of that name.
  const exact = matching.filter((route) => route.path === path)
  const there = exact.length > 0 ? exact : matching
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
