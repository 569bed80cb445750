/** What leaves of an answer, or the problem that nothing does: the caller reads that it is not as declared, the cause
 *  tells the operator where. */
import { Problem } from '@comity/core/problems'
import { checkAnswer, fieldOf, type AnswerVerdict } from './answer-check.ts'
import { minimiseAnswer, type JudgedAnswer, type WatchedRelease } from '../labels/data-answer.ts'
import type { DataOperation } from '../labels/data-plan.ts'
import { legiblePointer } from './legible-pointer.ts'
import type { CheckedRequest } from './request-check.ts'

const noBytes = new Uint8Array(0)

/** An answer without labelled fields. Throws `upstream-invalid`; an `Error` for one that has some. */
export function judgeWhole(checked: CheckedRequest, answer: JudgedAnswer, isLabelled: boolean): JudgedAnswer {
  if (isLabelled) throw new Error('an answer with labelled fields must be minimised')
  const { status, headers, body } = answer
  const verdict = checkAnswer(checked.operation, { status, contentType: fieldOf(headers, 'content-type'), body })
  if (!verdict.allowed) throw invalidAnswer(checked, status, verdict)
  if (verdict.release === 'whole') return answer
  const ofContent = (index: number) => headers[index - (index % 2)]?.startsWith('content-') === true
  return { status, headers: headers.filter((_, index) => !ofContent(index)), body: noBytes }
}

/** Of an answer with labelled fields what is released. Throws `upstream-invalid`; an `Error` for one without. */
export function judgeReleased(
  checked: CheckedRequest,
  planned: DataOperation | undefined,
  work: WatchedRelease & { readonly answer: JudgedAnswer },
): JudgedAnswer {
  if (planned === undefined) throw new Error('an answer without labelled fields is not minimised')
  const verdict = minimiseAnswer(checked.operation, planned, work)
  if (!verdict.allowed) throw invalidAnswer(checked, work.answer.status, verdict)
  return verdict.answer
}

function invalidAnswer(
  { operation }: CheckedRequest,
  status: number,
  { errors }: Extract<AnswerVerdict, { allowed: false }>,
): Problem {
  const { pointer, detail } = errors[0] ?? { pointer: '', detail: '' }
  const place = pointer === '' ? '' : `\`${legiblePointer(pointer, operation.declared())}\` `
  const cause = new Error(`answer ${status} of \`${operation.id}\`: ${place}${detail}`)
  return new Problem('upstream-invalid', 'the answer of the upstream is not as declared', { cause })
}
