/** A number with its word. */

/** `1 duty`, `2 duties`; `many` is `one` with an s unless told. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
