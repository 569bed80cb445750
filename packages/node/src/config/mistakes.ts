/** What is wrong with a configuration, in the words of whoever wrote it: path, line, sentence. */
import { Problem } from '@comity/core/problems'
import type { z } from 'zod'
import { nearestName } from './nearest-name.ts'

/** Keys and positions from the root, e.g. `['products', 0, 'id']`. */
export type ConfigPath = readonly (string | number)[]

/** One mistake. `line` counts from 1; 0 when no line is to blame. */
export interface Mistake {
  readonly path: ConfigPath
  readonly message: string
}

/** Finds the line of a path. */
export type LineOf = (path: ConfigPath) => number

/** Names that may stand at a path. */
export type NamesAt = (path: ConfigPath) => readonly string[]

/** `products[0].id`, or `(the file)` for the root. */
export function pathText(path: ConfigPath): string {
  if (path.length === 0) return '(the file)'
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('')
}

/** All mistakes as one problem. Its detail lists them one a line, for people; `errors` holds them for programs. */
export function configProblem(file: string, mistakes: readonly Mistake[], lineOf: LineOf): Problem {
  const errors = mistakes
    .map(({ path, message }) => ({ path: pathText(path), line: lineOf(path), message }))
    .toSorted((a, b) => a.line - b.line)
  const lines = errors.map((error) => `  ${file}:${error.line} ${error.path}: ${error.message}`)
  const count = errors.length === 1 ? 'one mistake' : `${errors.length} mistakes`
  return new Problem('config-invalid', [`\`${file}\` has ${count}`, ...lines].join('\n'), { members: { errors } })
}

/** Mistakes of a schema's issues. `namesAt` gives the names to suggest from. */
export function mistakesOf(issues: readonly z.core.$ZodIssue[], namesAt: NamesAt): Mistake[] {
  return issues.flatMap((issue) => {
    const path = issue.path.filter((part) => typeof part !== 'symbol')
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, namesAt(path)) }))
    }
    if (issue.code === 'invalid_key') return [{ path, message: issue.issues[0]?.message ?? 'is not a valid name' }]
    return [{ path, message: messageOf(issue) }]
  })
}

function unknownKey(key: string, names: readonly string[]): string {
  const nearest = nearestName(key, names)
  if (nearest !== undefined) return `is not known; did you mean \`${nearest}\`?`
  return names.length === 0
    ? 'is not known'
    : `is not known; known here: ${names.map((name) => `\`${name}\``).join(', ')}`
}

const expectations: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'text, in quotes when it looks like a number',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
}

function messageOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('undefined')
        ? 'is missing'
        : `must be ${expectations[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `must be ${issue.values.map((value) => `\`${String(value)}\``).join(' or ')}`
    case 'too_small':
      return `must ${boundOf(issue.origin)} at least ${issue.minimum}`
    case 'too_big':
      return `must ${boundOf(issue.origin)} at most ${issue.maximum}`
    case 'invalid_union':
      return 'has none of the allowed forms; a secret is `{ env: NAME }` or `{ file: path }`'
    case 'invalid_format':
      return issue.format === 'url' ? 'must be an http or https address' : issue.message
    default:
      return issue.message
  }
}

function boundOf(origin: string): string {
  return origin === 'string' ? 'have a length of' : origin === 'array' ? 'have a number of entries of' : 'be'
}
