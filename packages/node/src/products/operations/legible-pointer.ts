/** A JSON pointer (RFC 6901) into an answer, as a log may hold it. */

const maxSteps = 16
/** A member that a document would declare, or the position of an entry. */
const legibleStep = /^(?:[A-Za-z_$@][\w.$-]{0,63}|\d{1,4})$/

/** The pointer with `…` for each step that looks like somebody's data rather than like a name: an answer may have the
 *  number or the name of a person as the name of a member. */
export function legiblePointer(pointer: string): string {
  const [, ...steps] = pointer.split('/')
  const told = steps.slice(0, maxSteps).map((step) => (legibleStep.test(step) ? step : '…'))
  return ['', ...told, ...(steps.length > maxSteps ? ['…'] : [])].join('/')
}
