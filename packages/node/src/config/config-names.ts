/** The names that the schema knows at each path, for suggestions and for the reference page. */
import { z } from 'zod'
import { configSchema } from './config-schema.ts'
import type { ConfigPath } from './mistakes.ts'

/** The part of JSON Schema that zod writes and that is read here. */
export interface SchemaPart {
  readonly type?: string
  readonly properties?: Readonly<Record<string, SchemaPart>>
  readonly required?: readonly string[]
  readonly items?: SchemaPart
  readonly additionalProperties?: SchemaPart | boolean
  readonly anyOf?: readonly SchemaPart[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly maxItems?: number
  readonly format?: string
}

let written: SchemaPart | undefined

/** The schema of the file as JSON Schema; written once, on the first mistake. */
export function configJsonSchema(): SchemaPart {
  written ??= z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as SchemaPart
  return written
}

/** Names that may stand in the mapping at `path`; empty where the schema has no mapping. */
export function namesAt(path: ConfigPath): string[] {
  let parts: readonly SchemaPart[] = [configJsonSchema()]
  for (const step of path) parts = parts.flatMap((part) => below(part, step))
  return [...new Set(parts.flatMap(alternatives).flatMap((part) => Object.keys(part.properties ?? {})))]
}

function below(part: SchemaPart, step: string | number): SchemaPart[] {
  return alternatives(part).flatMap((one) => {
    const next = typeof step === 'number' ? one.items : (one.properties?.[step] ?? one.additionalProperties)
    return typeof next === 'object' ? [next] : []
  })
}

/** The forms of a part: itself, or what it is any of. */
export function alternatives(part: SchemaPart): readonly SchemaPart[] {
  return part.anyOf ?? [part]
}
