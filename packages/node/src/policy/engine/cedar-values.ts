/** Values while a policy is evaluated, made of the JSON of requests and policies only when they are looked at. */
import { parseDecimal, type Decimal } from './cedar-decimal.ts'
import { parseIp, type IpAddress } from './cedar-ip.ts'
import type { Long } from './cedar-long.ts'
import { parseDatetime, parseDuration, type Datetime, type Duration } from './cedar-time.ts'
import type { CedarValue, EntityUid } from './policy-engine.ts'

export type Value = boolean | string | Long | Entity | CedarSet | CedarRecord | Extension
/** A value of one of Cedar's extension types. */
export type Extension = IpAddress | Decimal | Datetime | Duration

/** An entity's name. */
export class Entity {
  readonly type: string
  readonly id: string
  readonly key: string

  constructor({ type, id }: EntityUid) {
    this.type = type
    this.id = id
    this.key = entityKey({ type, id })
  }
}

/** An entity as Cedar's JSON names it in expressions and values. */
interface EntityJson {
  readonly __entity: EntityUid
}

interface ExtensionJson {
  readonly __extn: { readonly fn: string; readonly arg: string }
}

/** The entity of Cedar's JSON, which knows two forms. */
export function uidOf(json: EntityUid | EntityJson): EntityUid {
  if (!('__entity' in json)) return json
  const { __entity: uid } = json
  return uid
}

/** One text for each entity. No name of a type has a quotation mark. */
export function entityKey({ type, id }: EntityUid): string {
  return `${type}::"${id}`
}

/** Values without order, each once. */
export class CedarSet {
  readonly members: ReadonlyMap<string, Value>

  constructor(values: readonly Value[]) {
    this.members = new Map(values.map((value) => [keyOf(value), value]))
  }

  get key(): string {
    return JSON.stringify([...this.members.keys()].toSorted())
  }

  has(value: Value): boolean {
    return this.members.has(keyOf(value))
  }
}

/** Named values. Those of a request are converted when somebody asks for them. */
export class CedarRecord {
  readonly #values: Map<string, Value>
  readonly #json: Readonly<Record<string, CedarValue | undefined>>

  constructor(values: Map<string, Value>, json: Readonly<Record<string, CedarValue | undefined>> = {}) {
    this.#values = values
    this.#json = json
  }

  get(name: string): Value | undefined {
    const known = this.#values.get(name)
    if (known !== undefined) return known
    const json = Object.hasOwn(this.#json, name) ? this.#json[name] : undefined
    if (json === undefined) return undefined
    const value = valueOf(json)
    this.#values.set(name, value)
    return value
  }

  has(name: string): boolean {
    return this.#values.has(name) || (Object.hasOwn(this.#json, name) && this.#json[name] !== undefined)
  }

  get key(): string {
    const names = [...this.#values.keys(), ...Object.keys(this.#json)]
    const members = [...new Set(names)].toSorted().flatMap((name) => {
      const value = this.get(name)
      return value === undefined ? [] : [[name, keyOf(value)]]
    })
    return JSON.stringify(members)
  }
}

/** A text that is the same for equal values and for no others. */
export function keyOf(value: Value): string {
  if (typeof value === 'string') return `s${value}`
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value !== 'object') return `l${value}`
  if (value instanceof Entity) return `e${value.key}`
  if (value instanceof CedarSet) return `S${value.key}`
  return value instanceof CedarRecord ? `R${value.key}` : `x${value.key}`
}

/** Cedar's `==`, which no pair of values fails. */
export function areEqual(a: Value, b: Value): boolean {
  if (a === b) return true
  return typeof a === 'object' && typeof b === 'object' && keyOf(a) === keyOf(b)
}

/** The value that a piece of Cedar's JSON stands for. Throws an evaluation error for an extension value that is none. */
export function valueOf(json: CedarValue): Value {
  if (typeof json === 'boolean' || typeof json === 'string') return json
  if (typeof json === 'number') return json + 0
  if (isList(json)) return new CedarSet(json.map(valueOf))
  if (isEntityJson(json)) return new Entity(uidOf(json))
  if (isExtensionJson(json)) return extensionOf(json)
  return new CedarRecord(new Map(), json)
}

/** The functions that make extension values of text. */
export const constructors: Readonly<Record<string, (text: string) => Extension>> = {
  ip: parseIp,
  decimal: parseDecimal,
  datetime: parseDatetime,
  duration: parseDuration,
}

function extensionOf({ __extn: { fn, arg } }: ExtensionJson): Extension {
  const make = Object.hasOwn(constructors, fn) ? constructors[fn] : undefined
  if (make === undefined) throw new Error(`no function \`${fn}\` makes a value of a request`)
  return make(arg)
}

function isList(json: CedarValue): json is readonly CedarValue[] {
  return Array.isArray(json)
}

function isEntityJson(json: object): json is EntityJson {
  return '__entity' in json
}

function isExtensionJson(json: object): json is ExtensionJson {
  return '__extn' in json
}
