/** The names of the operations that products declare, for checks of what speaks of them. */
import type { OpenApiDocument } from './openapi/openapi.ts'
import { compileProduct } from './product.ts'

/** Undefined where the document cannot be used, which is told elsewhere. */
export async function operationNames(document: () => Promise<OpenApiDocument>): Promise<readonly string[] | undefined> {
  try {
    return compileProduct(await document(), { whole: false }).operations.map(({ id }) => id)
  } catch {
    return undefined
  }
}
