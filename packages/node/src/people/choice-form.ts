/** Reads what a person ticked. Nothing counts that was not ticked: no grant, no field, no time by default. */
import { addDuration, parseDuration } from '@comity/core/consent/durations'
import type { ConsentGrant } from '@comity/core/consent/consent-record'
import { formatDateTime } from '@comity/core/agreement/date-time'
import type { PersonChoice } from './ports.ts'

/** Names of the form's fields, by the place of the grant in the request. */
export const formNames = {
  grant: (grant: number) => `grant-${grant}`,
  field: (grant: number) => `fields-${grant}`,
  time: 'time',
  capacity: 'capacity',
  token: 'form',
} as const

/** A grant that can be ticked, with the fields that can be ticked in it; none when it has no fields to choose. */
export interface Choosable {
  readonly grant: ConsentGrant
  readonly fields: readonly string[]
}

/** What is wrong with a form: a text's name, the grant it is about, and the id of the field to go to. */
export interface FormFault {
  readonly text: 'nothingTicked' | 'fieldsMissing' | 'grantMissing' | 'timeMissing' | 'capacityMissing'
  readonly grant?: number
  readonly target: string
}

export interface FormFacts {
  readonly choosable: readonly Choosable[]
  /** ISO 8601 durations that may be chosen. */
  readonly times: readonly string[]
  /** Longest time, as asked. */
  readonly duration: string
  /** Capacities that may be chosen; empty when there is nothing to choose. */
  readonly capacities: readonly string[]
  readonly nowMs: number
}

export type FormVerdict =
  | { readonly faults: readonly FormFault[] }
  | { readonly faults: readonly []; readonly choice: PersonChoice; readonly capacity: string | undefined }

/** The choice of a form, or everything that is wrong with it. */
export function readChoice(form: URLSearchParams, facts: FormFacts): FormVerdict {
  const { choosable, times, capacities } = facts
  const ticked = choosable.map((one, index) => tickedIn(form, one, index))
  const faults = [
    ...(ticked.every(({ isTicked, fields }) => !isTicked && fields.length === 0)
      ? [{ text: 'nothingTicked', target: formNames.grant(0) } as const]
      : []),
    ...ticked.flatMap((one, index) => grantFaults(one, choosable[index]?.fields ?? [], index)),
    ...(times.includes(form.get(formNames.time) ?? '') ? [] : [{ text: 'timeMissing', target: 'time' } as const]),
    ...(capacities.length === 0 || capacities.includes(form.get(formNames.capacity) ?? '')
      ? []
      : [{ text: 'capacityMissing', target: `capacity-${capacities[0]}` } as const]),
  ]
  if (faults.length > 0) return { faults }
  const grants = ticked.flatMap(({ isTicked, fields }, index) => {
    const one = choosable[index]
    if (!isTicked || one === undefined) return []
    return [{ id: one.grant.grant, ...(one.fields.length > 0 && { fields }) }]
  })
  const expires = endOf(form.get(formNames.time) ?? '', facts)
  const capacity = capacities.length === 0 ? undefined : (form.get(formNames.capacity) ?? undefined)
  return { faults: [], choice: { grants, ...(expires !== undefined && { expires }) }, capacity }
}

interface Ticked {
  readonly isTicked: boolean
  readonly fields: readonly string[]
}

/** Fields in the order of the request; what was not offered is not there. */
function tickedIn(form: URLSearchParams, { fields }: Choosable, index: number): Ticked {
  const values = new Set(form.getAll(formNames.field(index)))
  const isTicked = form.get(formNames.grant(index)) === 'yes'
  return { isTicked, fields: fields.filter((_, place) => values.has(String(place))) }
}

function grantFaults({ isTicked, fields }: Ticked, offered: readonly string[], grant: number): FormFault[] {
  if (isTicked && offered.length > 0 && fields.length === 0) {
    return [{ text: 'fieldsMissing', grant, target: `${formNames.field(grant)}-0` }]
  }
  if (!isTicked && fields.length > 0) return [{ text: 'grantMissing', grant, target: formNames.grant(grant) }]
  return []
}

/** RFC 3339; undefined for the longest, which counts from the decision. */
function endOf(time: string, { duration, nowMs }: FormFacts): string | undefined {
  const parsed = parseDuration(time)
  return time === duration || parsed === undefined ? undefined : formatDateTime(addDuration(nowMs, parsed))
}

const shorterTimes = ['P1D', 'P7D', 'P30D', 'P90D', 'P180D', 'P1Y']

/** The times that a person can choose: what was asked, and common shorter ones; the shortest first. */
export function timesFor(duration: string, nowMs: number): string[] {
  const asked = parseDuration(duration)
  if (asked === undefined) return [duration]
  const endMs = addDuration(nowMs, asked)
  const shorter = shorterTimes.filter((time) => {
    const parsed = parseDuration(time)
    return parsed !== undefined && addDuration(nowMs, parsed) < endMs
  })
  return [...shorter, duration]
}
