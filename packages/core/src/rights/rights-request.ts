/** What a person may ask of who holds their data (GDPR articles 15 to 21), the clock that the law sets, and when a
 *  request may be called closed: not before every store and every recipient has reported. Pure. */
import { z } from 'zod'
import { addDuration, parseDuration } from '../consent/durations.ts'
import { isFieldPath } from '../consent/field-path.ts'
import { Problem } from '../problems.ts'

/** Articles 15, 16, 17, 18, 20 and 21, in this order. */
export const rightsTypes = ['access', 'rectify', 'erase', 'restrict', 'port', 'object'] as const
export type RightsType = (typeof rightsTypes)[number]

/** `open`: nobody has reported yet. The last four are final, and say what came of it. */
export const rightsStatuses = ['open', 'in_progress', 'fulfilled', 'partially_fulfilled', 'denied', 'revoked'] as const
export type RightsStatus = (typeof rightsStatuses)[number]

const shortText = z.string().min(1).max(2000)
const id = z.string().min(1).max(200)

/** A request on its own; `parseRightsRequest` also tells what does not go together. */
export const rightsRequestSchema = z.strictObject({
  type: z.enum(rightsTypes),
  /** What it is about; everything when absent. */
  scope: z
    .strictObject({
      products: z.array(id).min(1).max(100).optional(),
      consents: z.array(id).min(1).max(100).optional(),
    })
    .optional(),
  /** Field path → the right value, as the person says; for `rectify` alone. */
  corrections: z.record(z.string().refine(isFieldPath, 'is not a field path'), z.unknown()).optional(),
  /** The person's own words. */
  message: shortText.optional(),
})

export type RightsRequest = Readonly<z.infer<typeof rightsRequestSchema>>

/** Reads a request. Throws `rights-request-invalid` with every mistake in `errors` (`pointer`, `detail`). */
export function parseRightsRequest(value: unknown): RightsRequest {
  const parsed = rightsRequestSchema.safeParse(value)
  const errors = parsed.success
    ? contradictions(parsed.data)
    : parsed.error.issues.map(({ path, message }) => ({ pointer: pointerOf(path), detail: message }))
  if (parsed.success && errors.length === 0) return parsed.data
  const pointers = errors.map(({ pointer }) => `\`${pointer}\``).join(', ')
  throw new Problem('rights-request-invalid', `wrong: ${pointers.slice(0, 500)}`, { members: { errors } })
}

function contradictions({ type, corrections }: RightsRequest) {
  const count = Object.keys(corrections ?? {}).length
  if (type === 'rectify' && (count === 0 || count > 100))
    return [{ pointer: '/corrections', detail: 'name 1 to 100 fields and their right values' }]
  if (type !== 'rectify' && corrections !== undefined)
    return [{ pointer: '/corrections', detail: 'belongs to `rectify` only' }]
  return []
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

const month = parseDuration('P1M')
const twoMonths = parseDuration('P2M')

/** Until when the law wants an answer: one month after it was received (GDPR article 12(3)). Milliseconds. */
export function rightsDueMs(receivedMs: number): number {
  return month === undefined ? receivedMs : addDuration(receivedMs, month)
}

/** The same, once extended by two further months, of which the person is told with the reasons. */
export function extendedRightsDueMs(receivedMs: number): number {
  return twoMonths === undefined ? receivedMs : addDuration(rightsDueMs(receivedMs), twoMonths)
}

/** One who has to report: a system of the holder, or another participant. */
export interface RightsReport {
  readonly state: 'open' | 'done' | 'refused'
}

/** What the reports make of a request. A request on which nobody has to report is fulfilled by what the node itself
 *  does; one report that is missing keeps it open for ever. */
export function rightsStatusOf(reports: readonly RightsReport[]): Exclude<RightsStatus, 'revoked'> {
  const open = reports.filter(({ state }) => state === 'open').length
  if (open > 0) return open === reports.length ? 'open' : 'in_progress'
  const refused = reports.filter(({ state }) => state === 'refused').length
  if (refused === 0) return 'fulfilled'
  return refused === reports.length ? 'denied' : 'partially_fulfilled'
}

/** True for a status that nothing follows. */
export function isClosedRights(status: RightsStatus): boolean {
  return status !== 'open' && status !== 'in_progress'
}
