/** Cuts a character off the end of a text. As an expression (`/x+$/`) it would take quadratic time in a text of many. */

/** The text without the character at its end, however often it stands there. */
export function withoutTrailing(text: string, character: string): string {
  let end = text.length
  while (end > 0 && text[end - 1] === character) end -= 1
  return text.slice(0, end)
}
