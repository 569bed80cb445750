/** The routes' schemas as JSON Schema (2020-12), those with a name once for all under `#/components/schemas`. */
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { judgedBy, shownAs } from './shapes.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

export interface JsonSchemas {
  /** Name -> schema, of all that were asked for until now. */
  readonly components: Record<string, JsonSchema>
  /** What a caller may send. */
  input(schema: z.ZodType): JsonSchema
  /** What an answer holds. Later versions may tell more, so a reader must not refuse what it does not know. */
  output(schema: z.ZodType): JsonSchema
}

/** Throws when two schemas of one name differ. */
export function jsonSchemas(): JsonSchemas {
  const components: Record<string, JsonSchema> = {}
  const keep = (name: string, schema: JsonSchema): void => {
    const there = components[name]
    if (there !== undefined && !isDeepStrictEqual(there, schema)) throw new Error(`two schemas are called ${name}`)
    components[name] = schema
  }
  const convert = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema => {
    const { $schema: _, $defs = {}, ...whole } = toJson(schema, io)
    for (const [name, definition] of Object.entries($defs as Record<string, JsonSchema>))
      keep(name, settled(definition, io))
    return settled(whole, io)
  }
  return { components, input: (schema) => convert(schema, 'input'), output: (schema) => convert(schema, 'output') }
}

function toJson(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  return z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      const judge = judgedBy.get(zodSchema)?.schema as z.ZodType | undefined
      const shown = judge === undefined ? shownAs.get(zodSchema)?.schema : withoutDialect(toJson(judge, io))
      if (shown === undefined) return
      for (const name of Object.keys(jsonSchema)) delete jsonSchema[name]
      Object.assign(jsonSchema, shown)
    },
  })
}

function withoutDialect(schema: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== '$schema'))
}

/** References into the components; open where answers may grow. */
function settled(value: unknown, io: 'input' | 'output'): JsonSchema {
  return walk(value, io) as JsonSchema
}

function walk(value: unknown, io: 'input' | 'output'): unknown {
  if (Array.isArray(value)) return value.map((entry) => walk(entry, io))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).flatMap(([name, member]) => {
    if (name === '$ref' && typeof member === 'string')
      return [[name, member.replace('#/$defs/', '#/components/schemas/')]]
    if (io === 'output' && name === 'additionalProperties' && member === false) return []
    return [[name, walk(member, io)]]
  })
  return Object.fromEntries(entries) as unknown
}
