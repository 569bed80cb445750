/** The whole check of a document against the schema of OpenAPI 3.1. Slow to load and to run (some 100 ms), so it is
 *  run once for each document and remembered by the document's hash. */
import type { DocumentError, OpenApiDocument } from './openapi.ts'

/** What is wrong with a document; empty when it is valid OpenAPI 3.1. */
export async function validateOpenApi(document: OpenApiDocument): Promise<DocumentError[]> {
  const { Validator } = await import('@seriousme/openapi-schema-validator')
  const result = await new Validator().validate(structuredClone(document.root) as Record<string, unknown>)
  if (result.valid) return []
  if (result.errors === undefined) return [{ pointer: '', detail: 'is not valid' }]
  if (typeof result.errors === 'string') return [{ pointer: '', detail: result.errors.slice(0, 300) }]
  return result.errors
    .slice(0, 20)
    .map((error) => ({ pointer: error.instancePath, detail: error.message ?? 'is not valid' }))
}
