/** A JSON pointer (RFC 6901) into an answer, as a log may hold it. */

const maxSteps = 16
/** The position of an entry. */
const position = /^\d{1,4}$/

/** The pointer with `…` for each step that the document does not declare: an answer may have the number or the name of
 *  a person as the name of a member. */
export function legiblePointer(pointer: string, declared: ReadonlySet<string>): string {
  const [, ...steps] = pointer.split('/')
  const isLegible = (step: string) => position.test(step) || declared.has(unescaped(step))
  const told = steps.slice(0, maxSteps).map((step) => (isLegible(step) ? step : '…'))
  return ['', ...told, ...(steps.length > maxSteps ? ['…'] : [])].join('/')
}

const unescaped = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~')
