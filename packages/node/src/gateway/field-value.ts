/** Header fields of a message as the gateway holds them: names, in lower case, and values in turn. */

/** The value of the first field of that name. */
export function fieldValue(fields: readonly string[], name: string): string | undefined {
  for (let index = 0; index < fields.length; index += 2) if (fields[index] === name) return fields[index + 1]
  return undefined
}
