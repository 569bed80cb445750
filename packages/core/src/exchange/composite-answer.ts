/** The content of a composite's answer: for each part a slice, which holds the very bytes that the part alone would have
 *  been answered, so that each can be held against the receipt by itself.
 *
 *      {"parts":{"profile":{"status":200,"salt":"mZ3vNn0zTq1bq2yQw5d7Jg","type":"application/json","body":{"name":"Amina Rossi"},"withheld":["born"]},
 *                "table":{"status":200,"type":"text/csv","text":"day,rank\n…"},
 *                "notes":{"status":403,"type":"application/problem+json","problem":{"type":"urn:comity:problem:…",…}}}} */
import { z } from 'zod'
import { sha256Text } from '#crypto'
import { decodeBase64, encodeBase64 } from '../bytes/base64.ts'
import { concatBytes } from '../bytes/bytes.ts'
import { parsePlainJson } from '../bytes/exact-json.ts'
import { JsonFault } from '../bytes/json-scan.ts'
import { membersOf, rawMembers } from '../bytes/raw-members.ts'
import { utf8Bytes, utf8Text } from '../bytes/utf8.ts'
import { codeOfDocument, Problem } from '../problems.ts'
import { maxParts, partClaimsListSchema, partName, type PartClaims } from './composite-parts.ts'

/** How the content of a slice is written: JSON as it is, a node's problem document, other text, other bytes. */
export type SliceContent =
  | { readonly as: 'body' | 'problem'; readonly json: string }
  | { readonly as: 'text'; readonly text: string }
  | { readonly as: 'base64'; readonly bytes: Uint8Array }

/** What one part was answered. */
export interface Slice {
  readonly status: number
  /** Media type; undefined when there is no content. */
  readonly type?: string | undefined
  /** Undefined when there is none. */
  readonly content?: SliceContent | undefined
  /** Base64url of 16 random bytes, made for this answer. */
  readonly salt?: string | undefined
  /** Labelled fields that were asked for and did not leave. */
  readonly withheld?: readonly string[] | undefined
}

export interface CompositeAnswer {
  /** By name, in the order in which they were asked for. */
  readonly slices: ReadonlyMap<string, Slice>
  /** What the receipt says of the parts, when it only holds the hash of it. */
  readonly stated?: readonly PartClaims[] | undefined
}

/** The media type of a node's refusals. */
export const problemType = 'application/problem+json'

/** The content of an answer as a slice has it; `isProblem` for a refusal of the node itself. */
export function sliceContent(
  type: string | undefined,
  bytes: Uint8Array,
  isProblem: boolean,
): SliceContent | undefined {
  if (bytes.length === 0) return undefined
  const text = textOf(bytes)
  if (text === undefined) return { as: 'base64', bytes }
  if (isProblem) return { as: 'problem', json: text }
  return isJsonType(type) && isStrictJson(text) ? { as: 'body', json: text } : { as: 'text', text }
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8Text(bytes)
  } catch {
    return undefined
  }
}

function isJsonType(type = ''): boolean {
  return /^application\/(?:[\w.!#$&^-]+\+)?json(?:\s*;|$)/i.test(type)
}

/** One text with one meaning, wherever it is put. */
function isStrictJson(text: string): boolean {
  try {
    parsePlainJson(text)
    // White space around it would not come back.
    return text === text.trim()
  } catch (error) {
    if (error instanceof JsonFault) return false
    throw error
  }
}

/** What a receipt is for: SHA-256 (base64url) over the text of the salt, a full stop, and the content as the part alone
 *  would have been answered. */
export function sliceHash(slice: Slice): string {
  return sha256Text(concatBytes(utf8Bytes(`${slice.salt ?? ''}.`), sliceBytes(slice)), 'base64url')
}

/** A slice as JSON. */
export function sliceText({ status, salt, type, content, withheld }: Slice): string {
  const members = [`"status":${status}`]
  if (salt !== undefined) members.push(`"salt":${JSON.stringify(salt)}`)
  if (type !== undefined) members.push(`"type":${JSON.stringify(type)}`)
  if (content !== undefined) members.push(`"${content.as}":${contentText(content)}`)
  if (withheld !== undefined && withheld.length > 0) members.push(`"withheld":${JSON.stringify(withheld)}`)
  return `{${members.join(',')}}`
}

function contentText(content: SliceContent): string {
  if (content.as === 'text') return JSON.stringify(content.text)
  return content.as === 'base64' ? JSON.stringify(encodeBase64(content.bytes)) : content.json
}

/** Bytes that the content takes in a composite: text is escaped, other bytes become base64. */
export function writtenLength(content: SliceContent): number {
  if (content.as === 'base64') return Math.ceil(content.bytes.length / 3) * 4 + 2
  if (content.as !== 'text') return utf8Bytes(content.json).length
  const bytes = utf8Bytes(content.text)
  let length = bytes.length + 2
  for (const byte of bytes) {
    if (byte < 0x20) length += shortEscapes.has(byte) ? 1 : 5
    else if (byte === 0x22 || byte === 0x5c) length += 1
  }
  return length
}

/** `\b`, `\t`, `\n`, `\f`, `\r`; other control characters are `\u00…`. */
const shortEscapes: ReadonlySet<number> = new Set([0x08, 0x09, 0x0a, 0x0c, 0x0d])

/** Slices as the member `parts` has them. */
export function slicesText(slices: ReadonlyMap<string, Slice>): string {
  return `{${[...slices].map(([name, slice]) => `${JSON.stringify(name)}:${sliceText(slice)}`).join(',')}}`
}

/** The whole content. */
export function compositeText({ slices, stated }: CompositeAnswer): string {
  const list = stated === undefined ? '' : `,"stated":${JSON.stringify(stated)}`
  return `{"parts":${slicesText(slices)}${list}}`
}

const sliceSchema = z.strictObject({
  status: z.int().min(100).max(599),
  salt: z
    .string()
    .regex(/^[A-Za-z0-9_-]{22,86}$/)
    .optional(),
  type: z.string().min(1).max(256).optional(),
  body: z.unknown().optional(),
  problem: z.looseObject({}).optional(),
  text: z.string().optional(),
  base64: z.string().optional(),
  withheld: z.array(z.string().min(1).max(4096)).max(4096).optional(),
})
const contentMembers = ['body', 'problem', 'text', 'base64'] as const

/** Reads an answer's content. Throws `answer-invalid` when it is anything else. */
export function parseComposite(content: Uint8Array): CompositeAnswer {
  try {
    const members = rawMembers(utf8Text(content))
    for (const name of members.keys()) if (name !== 'parts' && name !== 'stated') throw malformed(`has \`${name}\``)
    const stated = members.get('stated')
    return {
      slices: parseSlices(members.get('parts') ?? ''),
      ...(stated !== undefined && { stated: partClaimsListSchema.parse(JSON.parse(stated)) }),
    }
  } catch (cause) {
    if (cause instanceof Problem && cause.code === 'answer-invalid') throw cause
    throw malformed('is none', cause)
  }
}

/** Reads the member `parts` of an answer. Throws `answer-invalid`. */
export function parseSlices(text: string): ReadonlyMap<string, Slice> {
  const slices = new Map<string, Slice>()
  try {
    for (const [name, raw] of rawMembers(text)) {
      if (!partName.test(name)) throw malformed('has a part without a proper name')
      slices.set(name, parseSlice(raw))
    }
  } catch (cause) {
    if (cause instanceof Problem && cause.code === 'answer-invalid') throw cause
    throw malformed('is none', cause)
  }
  if (slices.size === 0 || slices.size > maxParts) throw malformed(`has ${slices.size} parts`)
  return slices
}

function parseSlice(raw: string): Slice {
  const { status, salt, type, withheld, ...said } = sliceSchema.parse(JSON.parse(raw))
  const [member, second] = contentMembers.filter((name) => said[name] !== undefined)
  if (second !== undefined) throw malformed('has a part with two contents')
  const content = member === undefined ? undefined : contentOf(member, said, membersOf(raw).get(member) ?? '')
  return {
    status,
    ...(salt !== undefined && { salt }),
    ...(type !== undefined && { type }),
    ...(content && { content }),
    ...(withheld && { withheld }),
  }
}

function contentOf(
  member: (typeof contentMembers)[number],
  { text, base64 }: { readonly text?: string | undefined; readonly base64?: string | undefined },
  raw: string,
): SliceContent {
  if (member === 'text') return { as: 'text', text: text ?? '' }
  return member === 'base64' ? { as: 'base64', bytes: decodeBase64(base64 ?? '') } : { as: member, json: raw }
}

/** The code of the refusal that a slice holds; undefined when it is an answer of the API. */
export function sliceProblem({ content }: Slice): string | undefined {
  if (content?.as !== 'problem') return undefined
  const document = JSON.parse(content.json) as { code?: unknown; type?: unknown }
  const { code } = document
  return codeOfDocument(document) ?? (typeof code === 'string' && /^[a-z-]{1,64}$/.test(code) ? code : 'internal-error')
}

/** The bytes that the part alone would have been answered. */
export function sliceBytes({ content }: Slice): Uint8Array {
  if (content === undefined) return new Uint8Array(0)
  if (content.as === 'base64') return content.bytes
  return utf8Bytes(content.as === 'text' ? content.text : content.json)
}

function malformed(what: string, cause?: unknown): Problem {
  return new Problem('answer-invalid', `the answer is not one of a composite: it ${what}`, { cause })
}
