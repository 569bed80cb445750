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
  if (requested !== undefined) {
    const givable = labels.map(({ path }) => path)
    return releaseOf(
      givable.flatMap((path) => intersection([path], requested)),
      givable,
    )
  }
  let release = wholeReleases.get(labels)
  if (release === undefined) wholeReleases.set(labels, (release = releaseOf(labels.map(({ path }) => path))))
  return release
}

function releaseOf(fields: readonly string[], givable?: readonly string[]): Release {
  const part = { grant: '', fields, ...(givable && { givable }), transforms: [], filters: [] }
  return { parts: [part], released: fields, withheld: [] }
}
