/** Guesses which name was meant by a misspelt one. */

/** The nearest of `names` when it is near enough to be a slip of the hand, else undefined. */
export function nearestName(text: string, names: readonly string[]): string | undefined {
  const plain = simplified(text)
  const allowed = Math.max(1, Math.floor(plain.length / 3))
  const ranked = names
    .map((name) => ({ name, distance: editDistance(plain, simplified(name)) }))
    .filter(({ distance }) => distance <= allowed)
    .toSorted((a, b) => a.distance - b.distance)
  return ranked[0]?.name
}

/** `time_out-MS` and `timeoutMs` are the same to a hand. Bounded, since the text is anybody's. */
function simplified(text: string): string {
  return text.slice(0, 64).toLowerCase().replaceAll(/[_-]/g, '')
}

/** Optimal string alignment: insertions, deletions, replacements and swaps of neighbours between two texts. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, index) => index)]
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Infinity
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwap ? at(i - 2, j - 2) + 1 : Infinity
      row.push(Math.min(replaced, swapped, at(i - 1, j) + 1, at(i, j - 1) + 1))
    }
  }
  return at(a.length, b.length)
}
