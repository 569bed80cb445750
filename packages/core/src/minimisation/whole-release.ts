/** What may leave of a product's labelled fields before anybody has withheld any. */
import { intersection } from '../consent/released-fields.ts'
import type { Release } from '../consent/release.ts'

const wholeReleases = new WeakMap<readonly { readonly path: string }[], Release>()

/** The release of all labelled fields, or of those that are asked for: one part, whose `grant` is empty, since no
 *  consent gives it. For a list of labels that stays the same object the same object. */
export function wholeRelease(
  labels: readonly { readonly path: string }[],
  requested?: readonly string[] | undefined,
): Release {
  if (requested !== undefined) return releaseOf(labels.flatMap(({ path }) => intersection([path], requested)))
  let release = wholeReleases.get(labels)
  if (release === undefined) wholeReleases.set(labels, (release = releaseOf(labels.map(({ path }) => path))))
  return release
}

function releaseOf(fields: readonly string[]): Release {
  return { parts: [{ grant: '', fields, transforms: [], filters: [] }], released: fields, withheld: [] }
}
