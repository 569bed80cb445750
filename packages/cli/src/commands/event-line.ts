/** What an event of the log says to people, on a line: without hashes and tokens. The whole event stands in `--json`. */
import { parseSecurityEvent } from '@comity/core/events/security-event'
import { Problem } from '@comity/core/problems'

type Members = Readonly<Record<string, unknown>>

/** Of events that people read often, the members that tell what happened, in the order in which they read well. */
const words: Readonly<Record<string, readonly string[]>> = {
  exchange: ['role', 'outcome', 'peer', 'product', 'operation', 'status', 'problem', 'agreement', 'purpose'],
  admin: ['action', 'target', 'problem'],
}
const ofAgreements = ['agreement', 'peer', 'reason']

/** A line about an event, given as the log keeps it. Types that are not known here are told by their members. */
export function eventLine(type: string, body: string): string {
  const event = JSON.parse(body) as Members
  const names = words[type] ?? (type.startsWith('agreement-') ? ofAgreements : undefined)
  if (names !== undefined)
    return names
      .flatMap((name) => event[name] ?? [])
      .map(String)
      .join(' ')
  if (type === 'refusals') return membersLine(membersOf(event['counts']))
  if (type === 'consent') return consentLine(event)
  if (type === 'event-received') return [...receivedTypes(event['token']), 'from', ...scalar(event['issuer'])].join(' ')
  return membersLine(event)
}

function consentLine({ step, recipient }: Members): string {
  const { type, consent } = membersOf(step)
  return [...scalar(type), ...scalar(consent), ...scalar(recipient)].join(' ')
}

/** What a partner told: the last words of the event's URIs. A token about a person is not kept, its hash is. */
function receivedTypes(token: unknown): string[] {
  if (typeof token !== 'string') return []
  try {
    return Object.keys(parseSecurityEvent(token).claims.events).map((uri) => uri.slice(uri.lastIndexOf(':') + 1))
  } catch (error) {
    if (error instanceof Problem) return []
    throw error
  }
}

/** Members that stand beside the line, or say nothing to people. */
const untold = new Set(['type', 'id', 'time', 'v'])
const hash = /^[\w-]{43}$/
/** Longer texts are tokens and signatures. */
const maxText = 200

function membersLine(members: Members): string {
  return Object.entries(members)
    .filter(([name]) => !untold.has(name))
    .flatMap(([name, value]) => {
      const nested = membersOf(value)
      if (Object.keys(nested).length > 0) return [`${name}: ${membersLine(nested)}`]
      const texts = [value].flat().flatMap(scalar)
      return texts.length === 0 ? [] : [`${name} ${texts.join(',')}`]
    })
    .join(' ')
}

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {}
}

function scalar(value: unknown): string[] {
  if (typeof value === 'number' || typeof value === 'boolean') return [String(value)]
  return typeof value === 'string' && value.length <= maxText && !hash.test(value) ? [value] : []
}
