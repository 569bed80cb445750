/** Why the evaluation of one policy failed. */

/** Ends the evaluation of the policy that it happens in. The message holds no values of the request. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError'
}

/** Throws: an operand has not the type that the operator takes. */
export function typeError(expected: string): never {
  throw new EvaluationError(`type error: expected ${expected}`)
}

/** Throws: arithmetic left 64 bits. */
export function overflowError(): never {
  throw new EvaluationError('integer overflow')
}

/** Throws: a text is none of the type that the function makes. */
export function malformedError(fn: string): never {
  throw new EvaluationError(`the text given to \`${fn}\` cannot be read`)
}
