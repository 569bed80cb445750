/** What can still be judged of a file with mistakes: the parts that are well-formed, so that rules over several entries
 *  report theirs in the same run. */
import type { z } from 'zod'
import { configSchema, type ConfigValues } from './config-schema.ts'

type DeepPartial<T> = T extends readonly (infer Item)[]
  ? readonly DeepPartial<Item>[]
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> | undefined }
    : T

/** Values of which any may be absent. Those that are there have the type of the schema. */
export type Draft = DeepPartial<ConfigValues>

/** The well-formed rest of a value that the schema refused: sections without an issue with their defaults, others as
 *  written, less what the issues name. Entries of lists keep their places. */
export function draftOf(value: unknown, issues: readonly z.core.$ZodIssue[]): Draft {
  if (!isMapping(value)) return {}
  const rest = structuredClone(value)
  for (const issue of issues) remove(rest, issue)
  const shape: Readonly<Record<string, z.ZodType>> = configSchema.shape
  const sections = Object.keys(shape).flatMap((name): [string, unknown][] => {
    const whole = shape[name]?.safeParse(value[name])
    if (whole?.success === true) return [[name, whole.data]]
    return Object.hasOwn(rest, name) ? [[name, rest[name]]] : []
  })
  return Object.fromEntries(sections)
}

function remove(root: Record<string, unknown>, issue: z.core.$ZodIssue): void {
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) removeAt(root, [...issue.path, key])
  } else {
    removeAt(root, issue.path)
  }
}

function removeAt(root: unknown, path: readonly PropertyKey[]): void {
  const key = path.at(-1)
  let parent: unknown = root
  for (const step of path.slice(0, -1))
    parent = isMapping(parent) || Array.isArray(parent) ? Reflect.get(parent, step) : undefined
  if (Array.isArray(parent) && typeof key === 'number') parent[key] = {}
  else if (isMapping(parent) && key !== undefined) Reflect.deleteProperty(parent, key)
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
