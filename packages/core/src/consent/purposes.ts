/** Whether a purpose is one that was consented to, or a narrower one by the Data Privacy Vocabulary. */
import { dpvBroader, dpvNamespace } from './dpv-purposes.ts'

const ancestors: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [...dpvBroader.keys()].map((iri) => [iri, ancestorsOf(iri)]),
)

/** True when the purpose is one of `allowed` or lies below one. IRIs that the vocabulary does not know match only
 *  exactly, and so does its root. */
export function isPurposeWithin(purpose: string, allowed: readonly string[]): boolean {
  if (allowed.includes(purpose)) return true
  const above = ancestors.get(purpose)
  return above !== undefined && allowed.some((iri) => above.has(iri))
}

/** What a person reads for a purpose of the vocabulary: the words of its name (`Academic Research`). Undefined for
 *  other IRIs. */
export function purposeName(iri: string): string | undefined {
  if (!ancestors.has(iri)) return undefined
  const words = iri.slice(dpvNamespace.length).match(/[A-Z]+(?![a-z])|[A-Z][a-z]*/g)
  return words?.map((word) => (/^(?:And|For|From|Of|To)$/.test(word) ? word.toLowerCase() : word)).join(' ')
}

function ancestorsOf(iri: string): Set<string> {
  const found = new Set<string>()
  const open = [iri]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const parent of dpvBroader.get(next) ?? []) {
      if (!found.has(parent)) open.push(parent)
      found.add(parent)
    }
  }
  return found
}
