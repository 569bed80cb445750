/** The fields `Signature-Input` and `Signature` (RFC 9421 §4), parsed and written by the structured-headers library.
 *
 *      Signature-Input: comity=("@method" "@path");created=1718000000;keyid="did:web:a.example#k1"
 *      Signature: comity=:K2qGT5srn2OGbOIDzQ6kYT+ruaycnDAAUpKv+ePFfD0...:
 */
import { serializeInnerList, serializeItem, type BareItem, type InnerList, type Item } from 'structured-headers'
import { Problem } from '../problems.ts'
import { parseComponent, type Component } from './components.ts'
import { parseStrictDictionary } from './structured-fields.ts'

/** A signature parameter's value. The registered ones are integers and strings (RFC 9421 §2.3). */
export type SignatureParameter = number | string

/** One signature of a message. */
export interface LabelledSignature {
  readonly label: string
  readonly components: readonly Component[]
  readonly params: ReadonlyMap<string, SignatureParameter>
  /** Value of `@signature-params`: covered list and parameters, canonical. */
  readonly signatureParams: string
  readonly signature: Uint8Array
}

/** More than any profile needs; bounds the work that a hostile list can ask for. */
const maxComponents = 64

function malformed(detail: string): Problem {
  return new Problem('signature-malformed', detail)
}

/** Reads both fields into the signatures they hold, in the order of `Signature-Input`. Throws `signature-malformed`
 *  when a field is no dictionary, a label stands in one field only, or a covered list is not valid. */
export function parseSignatureFields(signatureInput: string, signature: string): readonly LabelledSignature[] {
  const inputs = parseStrictDictionary('signature-input', signatureInput, 'signature-malformed')
  const signatures = parseStrictDictionary('signature', signature, 'signature-malformed')
  if (inputs.size !== signatures.size) throw malformed('the labels of `signature-input` and `signature` differ')
  return [...inputs].map(([label, input]) => {
    const member = signatures.get(label)
    if (member === undefined) throw malformed(`the label \`${label}\` has no signature`)
    if (!(member[0] instanceof ArrayBuffer)) throw malformed(`the signature \`${label}\` is not a byte sequence`)
    if (!isInnerList(input)) throw malformed(`the input \`${label}\` is not a list of components`)
    if (input[0].length > maxComponents) throw malformed(`the input \`${label}\` covers too many components`)
    return {
      label,
      components: input[0].map(parseComponent),
      params: new Map([...input[1]].map(([name, value]) => [name, parameterValue(name, value)])),
      signatureParams: serializeInnerList(input),
      signature: new Uint8Array(member[0]),
    }
  })
}

const isInnerList = (member: Item | InnerList): member is InnerList => Array.isArray(member[0])

function parameterValue(name: string, value: BareItem): SignatureParameter {
  if (typeof value === 'string' || typeof value === 'number') return value
  throw malformed(`the parameter \`${name}\` is neither a string nor a number`)
}

/** `("@method" "@path");created=…;keyid="…"`: the value of `@signature-params` and of a `Signature-Input` member. */
export function serialiseSignatureParams(
  components: readonly Component[],
  params: ReadonlyMap<string, SignatureParameter>,
): string {
  const items: Item[] = components.map(({ name, params: own }) => [name, new Map(own)])
  return serializeInnerList([items, new Map(params)])
}

/** `:base64:`, as the field `Signature` holds it. */
export function serialiseSignature(signature: Uint8Array): string {
  return serializeItem([signature as Uint8Array<ArrayBuffer>, new Map()])
}
