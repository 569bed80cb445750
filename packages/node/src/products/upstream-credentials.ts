/** The header fields that a product's API is called with, of which values may be secrets that are kept elsewhere. */
import { Problem } from '@comity/core/problems'
import type { ProductSettings, SecretReference } from './product-config.ts'

/** Names and values in turn. Throws `malformed-request` with every secret that cannot be read in `errors`. */
export async function readUpstreamHeaders(
  fields: ProductSettings['upstreamHeaders'],
  readSecret: (place: SecretReference) => Promise<string>,
): Promise<string[]> {
  const headers: string[] = []
  const errors: { readonly path: string; readonly message: string }[] = []
  for (const [name, value] of Object.entries(fields)) {
    try {
      headers.push(name.toLowerCase(), typeof value === 'string' ? value : await readSecret(value))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      errors.push({ path: `upstreamHeaders.${name}`, message: error.message })
    }
  }
  const [first] = errors
  if (first === undefined) return headers
  throw new Problem('malformed-request', `\`${first.path}\`: ${first.message}`, { members: { errors } })
}
