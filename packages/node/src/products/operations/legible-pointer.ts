/** A JSON pointer (RFC 6901) into an answer, as a log may hold it. */

const maxSteps = 16
/** The position of an entry. */
const position = /^\d{1,4}$/

/** A programmer's name for a member: no number, no mail address, nothing as people or accounts are written. */
const wordLike = /^[a-z][A-Za-z]{0,31}$/

/** Whether a log may hold the name of a member: the document declares it, or it can only be a programmer's. */
export function isLegible(name: string, declared: ReadonlySet<string>): boolean {
  return wordLike.test(name) || declared.has(name)
}

/** The pointer with `…` for each step that may be somebody's data: an answer may have the number or the name of a person
 *  as the name of a member. */
export function legiblePointer(pointer: string, declared: ReadonlySet<string>): string {
  const [, ...steps] = pointer.split('/')
  const isTold = (step: string) => position.test(step) || isLegible(unescaped(step), declared)
  const told = steps.slice(0, maxSteps).map((step) => (isTold(step) ? step : '…'))
  return ['', ...told, ...(steps.length > maxSteps ? ['…'] : [])].join('/')
}

const unescaped = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~')
