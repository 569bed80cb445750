/** The last thing that happens to an answer before it is recorded and signed: it is sealed to the caller's key, refusals
 *  of this node included. What is kept for a repetition of the call is the answer as it was before. */
import { innerFields } from '@comity/core/sealing/sealed-content'
import { sealedMediaType } from '@comity/core/sealing/sealed-envelope'
import type { Answer, InboundCall } from './inbound-call.ts'
import type { SealingPort } from './sealing-port.ts'

/** Statuses whose answers have no content (RFC 9110 §6.4.1). */
const empty: ReadonlySet<number> = new Set([204, 205, 304])

/** The answer as it leaves. INVARIANT: when the call settled on sealing, no content leaves in clear. */
export function sealAnswer(call: InboundCall, answer: Answer, { seal }: Pick<SealingPort, 'seal'>): Answer {
  const { target } = call.sealing
  if (target === undefined) return answer
  const [inside, outside] = partsOf(answer.headers)
  if (call.request.method === 'HEAD' || empty.has(answer.status)) {
    return { ...answer, headers: [...outside, ...(answer.status === 304 ? validators(inside) : [])] }
  }
  const binding = { typ: 'comity-answer', bnd: target.bnd } as const
  const { body, facts } = seal(target, binding, { fields: inside, body: answer.body })
  call.sealing.answer = facts
  return { status: answer.status, headers: [...outside, 'content-type', sealedMediaType], body }
}

/** The fields that describe the content, and the others, name and value in turn. */
function partsOf(headers: readonly string[]): [Record<string, string>, string[]] {
  const inside: Record<string, string> = {}
  const outside: string[] = []
  for (let index = 0; index < headers.length; index += 2) {
    const [name = '', value = ''] = headers.slice(index, index + 2)
    const lower = name.toLowerCase()
    if (lower === 'content-length') continue
    if (!innerFields.includes(lower)) outside.push(name, value)
    else inside[lower] = lower in inside ? `${inside[lower]}, ${value}` : value
  }
  return [inside, outside]
}

/** With 304 the caller learns what it named itself: that its copy is still good. Any other tag is of what is sealed. */
function validators(inside: Readonly<Record<string, string>>): string[] {
  return inside['etag'] === undefined ? [] : ['etag', inside['etag']]
}
