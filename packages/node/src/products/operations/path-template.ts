/** Path templates (OpenAPI 3.1 §4.8.2): `/athletes/{id}`, `/files/{name}.json`. One parameter a segment at most. */
import { Problem } from '@comity/core/problems'
import { normalisePath } from '@comity/core/exchange/path'
import { DocumentFault } from '../openapi/references.ts'

/** A segment with a parameter between two texts (both often empty), in normalised form. */
export interface ParameterSegment {
  readonly name: string
  readonly prefix: string
  readonly suffix: string
}

export type TemplateSegment = string | ParameterSegment

export interface PathTemplate {
  /** As the document writes it. */
  readonly text: string
  readonly segments: readonly TemplateSegment[]
  /** The parameters' names, in order. */
  readonly names: readonly string[]
  /** The text without the parameters' names: two templates of one shape match the same paths. */
  readonly shape: string
}

/** Reads a template. Throws `DocumentFault` (at `pointer`) for one that no normalised path could match. */
export function parseTemplate(text: string, pointer: string): PathTemplate {
  if (!text.startsWith('/')) throw new DocumentFault(pointer, 'does not begin with `/`')
  const segments = text
    .slice(1)
    .split('/')
    .map((segment) => parseSegment(segment, pointer))
  const names = segments.flatMap((segment) => (typeof segment === 'string' ? [] : [segment.name]))
  if (new Set(names).size < names.length) throw new DocumentFault(pointer, 'names a parameter twice')
  const shape = segments.map((segment) =>
    typeof segment === 'string' ? segment : `${segment.prefix}{}${segment.suffix}`,
  )
  const path = segments.map((segment) =>
    typeof segment === 'string' ? segment : `${segment.prefix}x${segment.suffix}`,
  )
  normalLiteral(`/${path.join('/')}`, pointer)
  return { text, segments, names, shape: `/${shape.join('/')}` }
}

function parseSegment(segment: string, pointer: string): TemplateSegment {
  const parts = /^([^{}]*)\{([^{}]+)\}([^{}]*)$/.exec(segment)
  if (parts === null) {
    if (/[{}]/.test(segment)) throw new DocumentFault(pointer, 'has more than one parameter in a segment')
    return literal(segment, pointer)
  }
  const [, prefix = '', name = '', suffix = ''] = parts
  return { name, prefix: literal(prefix, pointer), suffix: literal(suffix, pointer) }
}

/** The literal part of a segment as it stands in a normalised path. */
function literal(text: string, pointer: string): string {
  const escaped = encodeURI(text.replace(/%([0-9A-Fa-f]{2})/g, '\u0000$1')).replaceAll('%00', '%')
  // A letter around it keeps dots and emptiness, which are judged in the whole path, from being refused here.
  return normalLiteral(`/x${escaped}x`, pointer).slice(2, -1)
}

function normalLiteral(path: string, pointer: string): string {
  try {
    return normalisePath(path)
  } catch (cause) {
    if (cause instanceof Problem) throw new DocumentFault(pointer, `cannot be matched: ${cause.message}`)
    throw cause
  }
}

/** The path of a template with its parameters' texts filled in, escaped so that every server reads the same one. */
export function fillTemplate(template: PathTemplate, texts: ReadonlyMap<string, string>): string {
  let path = ''
  for (const segment of template.segments) {
    if (typeof segment === 'string') path += `/${segment}`
    else path += `/${segment.prefix}${encodeURIComponent(texts.get(segment.name) as string)}${segment.suffix}`
  }
  return path
}
