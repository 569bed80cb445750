/** Component identifiers and their values (RFC 9421 §2): the fields and derived values a signature may cover. */
import { parseItem, parseList, serializeDictionary, serializeItem, serializeList, type Item } from 'structured-headers'
import { encodeBase64 } from '../bytes/base64.ts'
import { utf8Bytes } from '../bytes/utf8.ts'
import { Problem } from '../problems.ts'
import { derivedValue, isDerivedName } from './derived-components.ts'
import type { RequestParts, ResponseParts, SignedMessage } from './message.ts'
import { parseStrictDictionary } from './structured-fields.ts'

/** One covered component. */
export interface Component {
  /** Field name in lower case, or a derived name such as `@method`. */
  readonly name: string
  /** Parameters in the order they were written. */
  readonly params: ReadonlyMap<string, string | true>
  /** Serialised identifier, e.g. `"@query-param";name="Pet"`; unique in a signature. */
  readonly identifier: string
}

type FieldType = 'dictionary' | 'list' | 'item'

/** Fields whose type is known, so that `;sf` and `;key` are defined for them (RFC 9421 §2.1.1). */
const fieldTypes: ReadonlyMap<string, FieldType> = new Map([
  ['accept-signature', 'dictionary'],
  ['cache-status', 'list'],
  ['client-cert', 'item'],
  ['client-cert-chain', 'list'],
  ['content-digest', 'dictionary'],
  ['deprecation', 'item'],
  ['idempotency-key', 'item'],
  ['priority', 'dictionary'],
  ['proxy-status', 'list'],
  ['ratelimit', 'list'],
  ['ratelimit-policy', 'list'],
  ['repr-digest', 'dictionary'],
  ['signature', 'dictionary'],
  ['signature-input', 'dictionary'],
  ['want-content-digest', 'dictionary'],
  ['want-repr-digest', 'dictionary'],
])

const fieldName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const flags = new Set(['sf', 'bs', 'tr', 'req'])
/** Anything that would end the line of a value or whose bytes are not certain. */
const unprintable = /[^\t\x20-\x7e]/

function malformed(detail: string, cause?: unknown): Problem {
  return new Problem('signature-malformed', detail, { cause })
}

/** Reads one item of a covered list. Throws `signature-malformed` for an unknown name, parameter or combination. */
export function parseComponent([name, parameters]: Item): Component {
  if (typeof name !== 'string') throw malformed('a covered component is not a string')
  if (!isDerivedName(name) && !fieldName.test(name)) throw malformed(`\`${name}\` is not a component`)
  const params = new Map<string, string | true>()
  for (const [key, value] of parameters) {
    if (flags.has(key) ? value !== true : !takesText(key, name) || typeof value !== 'string') {
      throw malformed(`the parameter \`${key}\` of \`${name}\` cannot be used`)
    }
    params.set(key, value as string | true)
  }
  checkCombination(name, params)
  return { name, params, identifier: serializeItem([name, parameters]) }
}

const takesText = (key: string, name: string) => (key === 'key' && !name.startsWith('@')) || key === 'name'

function checkCombination(name: string, params: ReadonlyMap<string, string | true>): void {
  if (params.has('name') !== (name === '@query-param')) throw malformed(`\`${name}\` and \`name\` do not go together`)
  if (name.startsWith('@') && (params.has('sf') || params.has('bs') || params.has('tr'))) {
    throw malformed(`\`${name}\` is derived and takes no field parameters`)
  }
  if (params.has('bs') && (params.has('sf') || params.has('key'))) {
    throw malformed(`\`${name}\` cannot be both \`bs\` and a structured field`)
  }
}

/** A component from its text, e.g. `"signature";key="comity";req`. Throws `signature-malformed`. */
export function componentOf(text: string): Component {
  let item: Item
  try {
    item = parseItem(text)
  } catch (cause) {
    throw malformed(`\`${text}\` is not a component identifier`, cause)
  }
  return parseComponent(item)
}

/** Value of a component in a message, as it stands in a signature base (RFC 9421 §2). Throws `signature-malformed`
 *  when the message lacks it or its bytes cannot be told for certain. */
export function componentValue(component: Component, message: SignedMessage): string {
  const { name, params } = component
  const fromRequest = params.has('req')
  if (fromRequest && message.response === undefined) throw malformed(`\`${name}\` has \`req\` outside a response`)
  const source = fromRequest ? message.request : (message.response ?? message.request)
  if (source === undefined) throw malformed(`\`${name}\` needs the request of the response`)
  const value = name.startsWith('@') ? derivedValue(name, params, source) : fieldValue(name, params, source)
  if (value === undefined) throw malformed(`${component.identifier} is covered but absent`)
  return fieldText(value, component.identifier)
}

/** A field's value without surrounding whitespace. Throws `signature-malformed` when it is not printable ASCII. */
export function fieldText(value: string, identifier: string): string {
  if (unprintable.test(value)) throw malformed(`${identifier} holds characters that cannot be signed`)
  return value.trim()
}

type Source = RequestParts | ResponseParts

function fieldValue(name: string, params: Component['params'], source: Source): string | undefined {
  const value = params.has('tr') ? source.trailer?.(name) : source.header(name)
  if (value === undefined) return undefined
  if (params.has('bs'))
    return byteSequences(name, (params.has('tr') ? undefined : source.headerLines?.(name)) ?? [value])
  const key = params.get('key')
  if (typeof key === 'string') return dictionaryMember(name, key, value)
  return params.has('sf') ? strictField(name, value) : value
}

function byteSequences(name: string, lines: readonly string[]): string {
  return lines.map((line) => `:${encodeBase64(utf8Bytes(fieldText(line, name)))}:`).join(', ')
}

function dictionaryMember(name: string, key: string, value: string): string | undefined {
  if (fieldTypes.get(name) !== 'dictionary') throw malformed(`\`${name}\` is not known to be a dictionary`)
  const member = parseStrictDictionary(name, value, 'signature-malformed').get(key)
  if (member === undefined) return undefined
  return Array.isArray(member[0]) ? serializeList([member]) : serializeItem(member as Item)
}

function strictField(name: string, value: string): string {
  const type = fieldTypes.get(name)
  if (type === undefined) throw malformed(`\`${name}\` is not known to be a structured field`)
  if (type === 'dictionary') return serializeDictionary(parseStrictDictionary(name, value, 'signature-malformed'))
  try {
    return type === 'list' ? serializeList(parseList(value)) : serializeItem(parseItem(value))
  } catch (cause) {
    throw malformed(`the field \`${name}\` is not a ${type} of RFC 9651`, cause)
  }
}

/** Covered components as an inner list without its parameters, e.g. `("@method" "@path")`. */
export function componentList(components: readonly Component[]): string {
  return `(${components.map(({ identifier }) => identifier).join(' ')})`
}
