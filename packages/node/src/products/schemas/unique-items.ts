/** `uniqueItems` compares every item with every other in Ajv: a list of a hundred thousand objects takes minutes. Here
 *  each is compared by one text that equal values share (JSON Schema 2020-12 §4.2.2). */
import { canonicalJson } from '@comity/core/bytes/canonical-json'
import type { Ajv2020 } from 'ajv/dist/2020.js'

/** Puts the linear keyword in the place of Ajv's. */
export function replaceUniqueItems(ajv: Ajv2020): void {
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    errors: false,
    error: { message: 'must not have an item twice' },
    compile: (isUnique: boolean) => (items: readonly unknown[]) => !isUnique || areDifferent(items),
  })
}

function areDifferent(items: readonly unknown[]): boolean {
  const seen = new Set<unknown>()
  for (const item of items) {
    const key = typeof item === 'object' && item !== null ? canonicalJson(item) : scalarKey(item)
    if (seen.has(key)) return false
    seen.add(key)
  }
  return true
}

/** A text among the scalars must not be taken for the text of an object. */
function scalarKey(item: unknown): unknown {
  return typeof item === 'string' ? `"${item}` : item
}
