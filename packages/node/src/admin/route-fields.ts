/** The header fields that a route takes and gives beside its schemas: what versions, repeats and pages it. */
import type { OpenApiParameter, Reference } from './openapi.ts'
import type { AdminRoute } from './route.ts'
import { isOfItsAddress, shownBy, shownWhenMade } from './versions.ts'

const etagShape = '^(?:\\*|(?:W/)?"[\\x21\\x23-\\x7e]*"(?:\\s*,\\s*(?:W/)?"[\\x21\\x23-\\x7e]*")*)$'

const ifNoneMatch: OpenApiParameter = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'Tags of answers that you have: 304 when one is what would be answered.',
  schema: { type: 'string', pattern: etagShape },
}
const ifMatch: OpenApiParameter = {
  name: 'If-Match',
  in: 'header',
  required: false,
  description: 'Tags of what you believe is there: 412, and nothing is done, when none is.',
  schema: { type: 'string', pattern: etagShape },
}
const idempotencyKey: OpenApiParameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'A quoted string of 1 to 128 characters: the same call with the same key is done once within 24 hours.',
  schema: { type: 'string', pattern: '^"[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]{1,128}"$' },
}

/** By name, as components. */
export const sharedParameters = { ifNoneMatch, ifMatch, idempotencyKey } as const

const refer = (name: keyof typeof sharedParameters): Reference => ({ $ref: `#/components/parameters/${name}` })
const text = { schema: { type: 'string' } }

/** Fields of the request; `isVersioned` when what the call changes is shown somewhere. */
export function requestFields({ method, reads, live }: AdminRoute, isVersioned: boolean): Reference[] {
  if (method === 'GET') return live === undefined ? [refer('ifNoneMatch')] : []
  if (reads === true) return []
  return [...(isVersioned ? [refer('ifMatch')] : []), ...(method === 'POST' ? [refer('idempotencyKey')] : [])]
}

/** Fields of a success. `routes` are all. */
export function answerFields(route: AdminRoute, routes: readonly AdminRoute[]): Record<string, unknown> {
  const { method, isPaged, live = [] } = route
  const made = shownWhenMade(routes, route)
  if (made !== undefined) {
    const location = { ...text, description: `Where it is shown: \`${made.path}\`.` }
    const etag = { ...text, description: 'Of what is shown there.' }
    return { Location: location, ...(made.asksPartner !== true && { ETag: etag }) }
  }
  if (isOfItsAddress(route) && shownBy(routes, route)?.path === route.path) {
    return { ETag: { ...text, description: 'Of what is shown at this address now.' } }
  }
  const link = { ...text, description: '`rel="next"`: the page after this one.' }
  const besides = live.length === 0 ? '' : `, whatever becomes of ${live.map((name) => `\`${name}\``).join(', ')}`
  const etag = { ...text, description: `Changes with the answer${besides}.` }
  return { ...(method === 'GET' && { ETag: etag }), ...(isPaged && { Link: link }) }
}
