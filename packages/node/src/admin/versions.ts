/** Versions of what the admin API shows, and the conditions that callers make on them (RFC 9110 §8.8.3, §13): a read is
 *  not repeated when nothing changed, a change is not made to something else than the caller saw. What is shown beside a
 *  record and moves by itself (its last use, what waits) is no part of its version. */
import { createHash } from 'node:crypto'
import { Problem } from '@comity/core/problems'
import type { AdminCall, AdminRoute, Condition } from './route.ts'

/** Strong tag of what a route shows: changes with everything but what is `live`. */
export function tagOf({ live = [] }: Pick<AdminRoute, 'live'>, value: unknown): string {
  const record = live.length === 0 ? value : withoutLive(value, new Set(live))
  return `"${createHash('sha256').update(bodyOf(record)).digest('base64url')}"`
}

function withoutLive(value: unknown, live: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((entry) => withoutLive(entry, live))
  return Object.fromEntries(Object.entries(value as object).filter(([name]) => !live.has(name)))
}

/** The route that shows what a call changes: the one at its own address, or right above it. */
export function shownBy(routes: readonly AdminRoute[], { path, method }: AdminRoute): AdminRoute | undefined {
  if (method === 'GET') return undefined
  const places = [path, path.slice(0, path.lastIndexOf('/'))]
  return places.flatMap((place) => routes.filter((route) => route.method === 'GET' && route.path === place))[0]
}

/** The route that shows what a call has made: the one it names, or the one below its address; undefined where none
 *  does. */
export function shownWhenMade(
  routes: readonly AdminRoute[],
  { path, status, shownAt }: AdminRoute,
): AdminRoute | undefined {
  if (status !== 201) return undefined
  const shows = (place: string) => place === shownAt || /^\/\{\w+\}$/.test(below(path, place))
  return routes.find((route) => route.method === 'GET' && shows(route.path))
}

const below = (path: string, other: string) => (other.startsWith(`${path}/`) ? other.slice(path.length) : '')

/** `Location` and `ETag` of what a call made, `ETag` of what it changed at its own address: the next change needs no read
 *  before it. */
export async function fieldsOfChange(
  { route, routes, path }: { route: AdminRoute; routes: readonly AdminRoute[]; path: AdminCall['path'] },
  value: unknown,
): Promise<readonly string[]> {
  const made = shownWhenMade(routes, route)
  const name = made?.path.slice(made.path.lastIndexOf('{') + 1, -1) ?? ''
  const id = made && memberOf(route.madeIn === undefined ? value : memberOf(value, route.madeIn), name)
  if (made !== undefined && typeof id === 'string') {
    const given: AdminCall['path'] = { ...path, [name]: id }
    const place = made.path.replace(/\{(\w+)\}/g, (_, part: string) => encodeURIComponent(given[part] ?? ''))
    return ['location', place, ...(await tagField(made, given))]
  }
  const shown = isOfItsAddress(route) ? shownBy(routes, route) : undefined
  return shown?.path === route.path ? tagField(shown, path) : []
}

const memberOf = (value: unknown, name: string) => (value as Readonly<Record<string, unknown>> | undefined)?.[name]

/** Its answer is what its address shows from now on. */
export function isOfItsAddress({ method, status }: Pick<AdminRoute, 'method' | 'status'>): boolean {
  return (method === 'PATCH' || method === 'PUT') && status !== 204
}

/** Empty where it cannot be told: the change was made all the same. */
async function tagField(shown: AdminRoute, path: AdminCall['path']): Promise<readonly string[]> {
  if (shown.asksPartner === true) return []
  const tag = await tagOfShown(shown, path).catch(() => undefined)
  return tag === undefined ? [] : ['etag', tag]
}

/** The tags of a condition; `*` for any. Throws `malformed-request`. */
export function readTags(field: string): '*' | readonly string[] {
  if (field.trim() === '*') return '*'
  const tags = field.match(/(?:W\/)?"[\x21\x23-\x7e]*"/g) ?? []
  const rest = field.replace(/(?:W\/)?"[\x21\x23-\x7e]*"/g, '')
  if (tags.length === 0 || !/^[\s,]*$/.test(rest)) {
    throw new Problem('malformed-request', 'the condition is neither `*` nor a list of quoted tags')
  }
  return tags
}

/** Whether a reader has this answer already. Tags are compared weakly: what is the same for a reader is enough. */
export function isKnown(field: string | undefined, tag: string): boolean {
  if (field === undefined) return false
  const tags = readTags(field)
  return tags === '*' || tags.some((one) => one.replace(/^W\//, '') === tag)
}

/** The condition of a field `If-Match`: that what is there now has one of the tags, which are compared strongly. Throws
 *  `malformed-request`. */
export function conditionOf(field: string, shown: AdminRoute | undefined, path: AdminCall['path']): Condition {
  const tags = readTags(field)
  return async () => {
    const tag = await tagOfShown(shown, path)
    if (tag !== undefined && (tags === '*' || tags.includes(tag))) return
    throw new Problem('precondition-failed', 'what is there is not what `If-Match` names')
  }
}

/** Undefined when there is nothing. */
async function tagOfShown(shown: AdminRoute | undefined, given: AdminCall['path']): Promise<string | undefined> {
  if (shown === undefined) return undefined
  const path = Object.fromEntries(Object.keys(shown.parameters.shape).map((name) => [name, given[name] ?? '']))
  try {
    return tagOf(shown, await shown.answer({ path, query: {}, body: undefined }))
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return undefined
    throw error
  }
}

const encoder = new TextEncoder()

/** An answer as it leaves. */
export function bodyOf(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value))
}
