/** The header fields of a call, checked before anything is sent; no message ever holds a value. */
import type { RandomBytes } from '@comity/core/ports'
import { encodeBase64url } from '@comity/core/bytes/base64url'
import { formatActor, type Actor } from '@comity/core/exchange/actor'
import type { CallOptions } from './call-options.ts'
import { invalidCall } from './comity-error.ts'
import { replicaField } from './replica.ts'

type Fields = Readonly<Record<string, string>>

/** Fields that have an option of their own. */
const owned: Readonly<Record<string, string>> = {
  'comity-purpose': 'purpose',
  'comity-agreement': 'agreement',
  'comity-subject': 'subject',
  'comity-consent': 'consent',
  'comity-actor': 'actor',
  'comity-replica': 'replica',
  'idempotency-key': 'idempotencyKey',
}

const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
const fieldValue = /^[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/

/** The request's fields by lower-case name: the client's, then the call's, then those of the options. Throws
 *  `invalid-call`. */
export function requestHead(common: Fields, options: CallOptions, random: RandomBytes): Record<string, string> {
  const head: Record<string, string> = { accept: 'application/json, application/problem+json' }
  for (const [name, value] of [...Object.entries(common), ...Object.entries(options.headers ?? {})]) {
    setField(head, name, value)
  }
  const { purpose, agreement, subject, consent, actor, replica, idempotencyKey } = options
  const named = {
    'comity-purpose': purpose,
    'comity-agreement': agreement,
    'comity-subject': subject,
    'comity-consent': consent,
  }
  for (const [name, value] of Object.entries(named)) {
    if (value !== undefined) head[name] = checkedValue(owned[name] ?? name, value)
  }
  if (actor !== undefined) head['comity-actor'] = actorField(actor)
  const kept = replica && replicaField(replica)
  if (kept !== undefined) head['comity-replica'] = kept
  if (idempotencyKey !== undefined) head['idempotency-key'] = keyField(idempotencyKey, random)
  return head
}

/** Checks fields that are given once for all calls. Throws `invalid-call`. */
export function checkFields(fields: Fields): Fields {
  const head: Record<string, string> = {}
  for (const [name, value] of Object.entries(fields)) setField(head, name, value)
  return head
}

function setField(head: Record<string, string>, name: string, value: string): void {
  const lower = name.toLowerCase()
  if (!token.test(lower)) throw invalidCall('the name of a header field is malformed')
  const option = owned[lower]
  if (option !== undefined) throw invalidCall(`the header field \`${lower}\` is given as \`${option}\``)
  head[lower] = checkedValue(lower, value)
}

function checkedValue(name: string, value: unknown): string {
  if (typeof value === 'string' && fieldValue.test(value)) return value
  throw invalidCall(`the value of \`${name}\` cannot stand in a header field`)
}

function actorField(actor: Actor): string {
  try {
    return formatActor(actor)
  } catch {
    throw invalidCall('`actor` has another type or assurance than there are, or a name that is not printable ASCII')
  }
}

/** The key as a structured-field string (RFC 9651 §3.3.3). */
function keyField(key: string, random: RandomBytes): string {
  if (key === 'auto') return `"${encodeBase64url(random(16))}"`
  if (/^[\x20\x21\x23-\x5b\x5d-\x7e]{1,128}$/.test(key)) return `"${key}"`
  throw invalidCall('`idempotencyKey` is not 1 to 128 printable ASCII characters without `"` and `\\`')
}
