/** The slices of a composite's answer, from what each part was answered. */
import { encodeBase64url } from '@comity/core/bytes/base64url'
import {
  compositeText,
  problemType,
  sliceContent,
  sliceHash,
  writtenLength,
  type Slice,
  type SliceContent,
} from '@comity/core/exchange/composite-answer'
import { partClaims, partsClaims } from '@comity/core/exchange/composite-parts'
import type { RandomBytes } from '@comity/core/ports'
import { Problem } from '@comity/core/problems'
import { asProblem, problemReply } from '../../http/problem-response.ts'
import { exchangePart } from '../answered-exchange.ts'
import type { Answer, InboundCall, PartOfCall } from '../inbound-call.ts'

/** Longest content of all parts together, in bytes as they are written. */
export const compositeBytes = 24 * 1024 * 1024

/** The slice of a part's call, which has an answer or a problem. Its salt keeps the hash in the receipt from telling a
 *  guess of the content from another, to who carries a sealed answer or reads receipts after an erasure. */
export function partOfCall(name: string, call: InboundCall, randomBytes: RandomBytes): PartOfCall {
  if (call.problem === undefined && call.answer === undefined) {
    call.problem = asProblem(new Error(`the part \`${name}\` ended without an answer`))
  }
  const isProblem = call.problem !== undefined
  const answer = isProblem ? refusalOf(call) : (call.answer as Answer)
  const type = valueOf(answer.headers, 'content-type')
  const content = isProblem ? sliceContent(type, answer.body, true) : measured(answer).content
  const withheld = isProblem || answer.status >= 400 ? undefined : call.release?.withheld
  const slice = {
    status: answer.status,
    salt: encodeBase64url(randomBytes(16)),
    ...(content && { type: isProblem ? problemType : type, content }),
    ...(withheld && { withheld }),
  }
  return { name, call, answer, slice, hash: sliceHash(slice) }
}

function refusalOf({ problem, id }: InboundCall): Answer {
  const { status, headers, body } = problemReply(problem as Problem, id)
  return { status, headers, body }
}

function valueOf(fields: readonly string[], name: string): string | undefined {
  const at = fields.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name)
  return at < 0 ? undefined : fields[at + 1]
}

/** Content of an answer as a slice has it, and its bytes there. */
interface Measured {
  readonly content: SliceContent | undefined
  readonly length: number
}

const measures = new WeakMap<Answer, Measured>()

/** Looked at once, since it takes its time. */
function measured(answer: Answer): Measured {
  let known = measures.get(answer)
  if (known === undefined) {
    const content = sliceContent(valueOf(answer.headers, 'content-type'), answer.body, false)
    measures.set(answer, (known = { content, length: content === undefined ? 0 : writtenLength(content) }))
  }
  return known
}

/** What a part that was not refused brings into the composite, in bytes as they are written there. */
export function contentLength({ answer, problem }: InboundCall): number {
  return problem === undefined && answer !== undefined ? measured(answer).length : 0
}

/** Of a part that does not fit. */
export function overflow(): Problem {
  return new Problem('composite-overflow', `the parts together are over ${compositeBytes} bytes`)
}

/** In the order of the request, what does not fit is left out: it can be had by itself. */
export function refuseUnfit(calls: readonly InboundCall[]): void {
  let room = compositeBytes
  for (const call of calls) {
    const size = contentLength(call)
    if (size <= room) room -= size
    else {
      call.problem = overflow()
      call.answer = undefined
    }
  }
}

const headers = ['content-type', 'application/json', 'cache-control', 'no-store']

/** The whole answer. */
export function compositeAnswer(parts: readonly PartOfCall[], nowMs: number): Answer {
  const stated = parts.map((part) => exchangePart(part, nowMs))
  const slices = new Map<string, Slice>(parts.map(({ name, slice }) => [name, slice]))
  const isLong = partsClaims(stated).pth !== undefined
  const text = compositeText({ slices, ...(isLong && { stated: stated.map(partClaims) }) })
  return { status: 200, headers, body: Buffer.from(text) }
}
