/** The terms that an agreement may use: ODRL 2.2 as the Dataspace Protocol 2025-1 writes it, and Comity's small
 *  profile for what ODRL has no word for. `docs/protocols/agreement.md` describes both. */

/** The JSON-LD context of every document (Dataspace Protocol 2025-1). */
export const dataspaceContext = 'https://w3id.org/dspace/2025/1/context.jsonld'

/** Comity's ODRL profile; named by the policy that uses one of the profile's terms. */
export const comityProfile = 'urn:comity:odrl'

/** Left operand: the `operationId` of the product's OpenAPI description. */
export const operationOperand = 'urn:comity:odrl:operation'

/** Left operand: the id of a product of the assigner. */
export const productOperand = 'urn:comity:odrl:product'

/** Target: the collection of the assigner's products; each permission then says which by `productOperand`. */
export const productsTarget = 'urn:comity:odrl:products'

const odrlNamespace = 'http://www.w3.org/ns/odrl/2/'

/** The short form of an ODRL term: `use` for `use`, `odrl:use` and `http://www.w3.org/ns/odrl/2/use`. Any other text
 *  comes back as it is. */
export function shortOdrlTerm(text: string): string {
  if (text.startsWith(odrlNamespace)) return text.slice(odrlNamespace.length)
  return text.startsWith('odrl:') ? text.slice('odrl:'.length) : text
}
