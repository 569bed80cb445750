/** What is wrong with an input, in people's words, and with what they wrote as they wrote it. */
import { z } from 'zod'

/** `path` has its steps joined by dots, and is empty for the input as a whole. */
export interface InputMistake {
  readonly path: string
  readonly message: string
}

/** How a time must be written, with an example. */
export const timeWords = 'must be a time of ISO 8601 with its offset, such as `2026-03-01T00:00:00Z`'

/** 9999-12-31T23:59:59.999Z. A year of five digits is written in another way, which few can read. */
const lastMs = 253_402_300_799_999

/** A time of ISO 8601 with its offset, in UTC no later than the year 9999. */
export const timeSchema = z.iso
  .datetime({ offset: true, error: timeWords })
  .refine((text) => !(Date.parse(text) > lastMs), 'must be no later than `9999-12-31T23:59:59.999Z`')

/** Every mistake that a schema found. */
export function inputMistakes({ issues }: Pick<z.ZodError, 'issues'>): InputMistake[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map(String)
    if (issue.code !== 'unrecognized_keys') return [{ path: path.join('.'), message: messageOf(issue) }]
    return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'is not known' }))
  })
}

/** The first of them, as a sentence; `whole` is how the input is called. */
export function mistakeSentence([first]: readonly InputMistake[], whole: string): string {
  const where = first === undefined || first.path === '' ? whole : `\`${first.path}\``
  return `${where} is not right: ${first?.message ?? 'it cannot be read'}`
}

/** The library's own sentences; those of our schemas are for people as they are. */
const ofLibrary = /^(?:Invalid|Too|Unrecognized) /

const expectations: Readonly<Record<string, string>> = {
  object: 'an object',
  record: 'an object',
  array: 'a list',
  tuple: 'a list',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (!ofLibrary.test(issue.message)) return issue.message
  switch (issue.code) {
    case 'invalid_type':
      if (issue.message.endsWith('received undefined')) return 'is missing'
      return `must be ${expectations[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `must be ${issue.values.map((value) => `\`${String(value)}\``).join(' or ')}`
    case 'too_small':
      return boundWords(issue.origin, { at: issue.minimum, inclusive: issue.inclusive, side: 'least' })
    case 'too_big':
      return boundWords(issue.origin, { at: issue.maximum, inclusive: issue.inclusive, side: 'most' })
    case 'invalid_format':
      return formatWords(issue)
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues[0] === undefined ? 'is not allowed' : messageOf(issue.issues[0])
    case 'invalid_union':
      return 'has none of the allowed forms'
    default:
      return issue.message.charAt(0).toLowerCase() + issue.message.slice(1)
  }
}

interface Bound {
  readonly at: number | bigint
  readonly inclusive: boolean | undefined
  readonly side: 'least' | 'most'
}

function boundWords(origin: string, { at, inclusive, side }: Bound): string {
  if (origin === 'string' && side === 'least' && at === 1) return 'must not be empty'
  const things = { string: ' characters', array: ' entries', set: ' entries' }[origin]
  const verb = things === undefined ? 'be' : 'have'
  if (inclusive === false) return `must ${verb} ${side === 'least' ? 'more' : 'less'} than ${at}${things ?? ''}`
  return `must ${verb} at ${side} ${at}${things ?? ''}`
}

function formatWords({ format, pattern }: z.core.$ZodIssueInvalidStringFormat & { readonly pattern?: string }): string {
  if (format === 'datetime') return timeWords
  if (format === 'date') return 'must be a date such as `2026-03-01`'
  if (format === 'url') return 'must be an http or https address'
  return pattern === undefined ? 'is not written as it must be' : `must match \`${pattern}\``
}
