/** The signature base (RFC 9421 §2.5): the exact text that is signed.
 *
 *      "@method": GET
 *      "@path": /x/athletes/1
 *      "@signature-params": ("@method" "@path");created=1718000000;keyid="did:web:a.example#k1"
 */
import { Problem } from '../problems.ts'
import { componentValue, type Component } from './components.ts'
import type { SignedMessage } from './message.ts'

/** Builds the base. `signatureParams` is the covered list with its parameters exactly as `Signature-Input` has it.
 *  Throws `signature-malformed` when a component is covered twice, or is absent. */
export function signatureBase(
  components: readonly Component[],
  signatureParams: string,
  message: SignedMessage,
): string {
  const seen = new Set<string>()
  let base = ''
  for (const component of components) {
    const identity = componentIdentity(component)
    if (seen.has(identity)) {
      throw new Problem('signature-malformed', `${component.identifier} is covered twice`)
    }
    seen.add(identity)
    base += `${component.identifier}: ${componentValue(component, message)}\n`
  }
  return `${base}"@signature-params": ${signatureParams}`
}

/** Equal for two identifiers that differ in nothing but the order of parameters (RFC 9421 §2). */
function componentIdentity({ name, params }: Component): string {
  const sorted = [...params].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([name, sorted])
}
