/** What an operator declares of operations that answer with a reference: a link in the place of the data, to be
 *  resolved once. */
import { z } from 'zod'
import { operationName, type DeepReadonly, type SettingsFault } from './labels/data-config.ts'
import type { Operation } from './operations/operations.ts'

/** The section `references` of a product. */
export const referencesConfigSchema = z.strictObject({
  operations: z.array(operationName).min(1).max(1_000),
  seconds: z.int().min(5).max(86_400).default(300),
})

/** The section with its defaults. */
export type ReferencesConfig = DeepReadonly<z.infer<typeof referencesConfigSchema>>

/** What of a product's settings references depend on. */
export interface ReferenceSettings {
  readonly class: string
  readonly references?: ReferencesConfig | undefined
}

/** Everything that is wrong with the section, held against the document's operations. */
export function referenceFaults(
  { class: productClass, references }: ReferenceSettings,
  operations: readonly Pick<Operation, 'id' | 'method'>[],
): SettingsFault[] {
  if (references === undefined) return []
  if (productClass === 'public') {
    return [
      { path: ['references'], message: 'does not go with `class: public`: a reference is for a caller with a name' },
    ]
  }
  return references.operations.flatMap((id, index) => {
    const operation = operations.find((one) => one.id === id)
    const path = ['references', 'operations', index]
    if (operation === undefined) return [{ path, message: `the OpenAPI document has no operation \`${id}\`` }]
    return operation.method === 'GET' ? [] : [{ path, message: `\`${id}\` is not a GET, and is made at once` }]
  })
}

/** How long a reference to an operation's answer lives; undefined when the answer itself is given. */
export function referenceSecondsOf({ references }: ReferenceSettings, operationId: string): number | undefined {
  return references?.operations.includes(operationId) === true ? references.seconds : undefined
}
