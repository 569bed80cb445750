/** The field `Comity-Actor`: what of the calling participant makes the call, in its own signed word (RFC 9651 item).
 *
 *      Comity-Actor: "nurse-17";type=human;assurance=substantial */
import { parseItem, serializeItem, Token } from 'structured-headers'
import { Problem } from '../problems.ts'

/** What can act for a participant. */
export const actorTypes = ['service', 'human', 'device'] as const

/** How sure the participant is of the actor: the levels of eIDAS (Regulation (EU) 910/2014, Article 8). */
export const assuranceLevels = ['low', 'substantial', 'high'] as const

/** An application, a person at work or a machine of the participant that calls. */
export interface Actor {
  readonly type: (typeof actorTypes)[number]
  /** Unique within the participant: 1 to 256 printable ASCII characters. */
  readonly id: string
  readonly assurance?: (typeof assuranceLevels)[number] | undefined
}

/** For who wrote it otherwise. */
const sample = '"nurse-17";type=human'

const maxIdLength = 256
const maxFieldLength = 512

/** Reads the field's value. Throws `malformed-request` unless it is exactly one actor: another type, level or parameter
 *  is refused, since a rule about it would be passed over. */
export function parseActor(field: string): Actor {
  if (field.length > maxFieldLength) throw malformed('is too long')
  const [id, params] = parsedItem(field)
  if (id instanceof Token) throw malformed(`holds its name without quotes: write \`${sample}\``)
  if (typeof id !== 'string' || id === '' || id.length > maxIdLength)
    throw malformed(`does not begin with a name in quotes, such as \`${sample}\``)
  const { type, assurance, ...others } = Object.fromEntries(params)
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw malformed(`has a parameter \`${unknown}\`, which is not known`)
  const level = assurance === undefined ? undefined : wordOf(assurance, assuranceLevels, 'assurance')
  return { type: wordOf(type, actorTypes, 'type'), id, ...(level !== undefined && { assurance: level }) }
}

function parsedItem(field: string) {
  try {
    const item = parseItem(field)
    // A parser keeps the last of two equal parameters; what it dropped shows up as a shorter text.
    if (serializeItem(item).replaceAll(' ', '') === field.replaceAll(' ', '')) return item
  } catch (cause) {
    throw malformed(`is not an item of RFC 9651 such as \`${sample}\``, cause)
  }
  throw malformed('repeats a parameter or is not in its canonical form')
}

function wordOf<T extends string>(value: unknown, words: readonly T[], name: string): T {
  const word = value instanceof Token ? words.find((known) => known === value.toString()) : undefined
  if (word !== undefined) return word
  throw malformed(`needs \`${name}\` to be one of ${words.join(', ')}`)
}

function malformed(detail: string, cause?: unknown): Problem {
  return new Problem('malformed-request', `the field \`comity-actor\` ${detail}`, { cause })
}

/** The field's value. Throws `malformed-request` for an actor that `parseActor` would refuse. */
export function formatActor({ type, id, assurance }: Actor): string {
  const params = new Map([['type', new Token(type)]])
  if (assurance !== undefined) params.set('assurance', new Token(assurance))
  let field: string
  try {
    field = serializeItem([id, params])
  } catch (cause) {
    throw malformed('holds a character that is not printable ASCII', cause)
  }
  parseActor(field)
  return field
}
