/** Field paths: names joined by dots, `[]` after a name for each element of a list: `name`, `address.city`,
 *  `results[].event`. Paths are relative to a row of a product's answer. */

const segment = /^[^.[\]]{1,128}(?:\[\])*$/

/** True for a path of 1 to 16 segments. */
export function isFieldPath(text: string): boolean {
  const segments = text.split('.')
  return segments.length <= 16 && segments.every((part) => segment.test(part))
}

/** True when `other` is the same field or lies below it. */
export function coversField(path: string, other: string): boolean {
  return other === path || (other.startsWith(path) && (other[path.length] === '.' || other[path.length] === '['))
}

/** True when one of the paths covers `other`. */
export function coveredByAny(paths: readonly string[], other: string): boolean {
  return paths.some((path) => coversField(path, other))
}
