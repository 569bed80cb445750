/** The names of the policies' schema (`comity.cedarschema`), and the entities' ids made of the node's own words. */
import type { EntityUid } from './engine/policy-engine.ts'

/** Types of entities of the schema, by their short names. */
export type ComityType =
  'Participant' | 'Service' | 'Human' | 'Device' | 'Group' | 'Product' | 'Operation' | 'Data' | 'Action'

/** Id of the participant that a caller is who does not say who it is. */
export const anonymous = 'anonymous'

/** An entity's name with the namespace. */
export function comity(type: ComityType, id: string): EntityUid {
  return { type: `Comity::${type}`, id }
}

/** Id of a service, human or device: `<DID>/<its own id>`. */
export function actorId(did: string, id: string): string {
  return `${did}/${id}`
}

/** Id of an operation: `<product>/<operation>`. */
export function operationId(product: string, operation: string): string {
  return `${product}/${operation}`
}
