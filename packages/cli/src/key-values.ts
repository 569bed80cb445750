/** Values of options that clients and keys have in common. */
import { InvalidArgumentError } from 'commander'

export function days(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('must be a whole number of days, up to 3650')
}

/** `name=value`, several times. */
export function keyValue(text: string, earlier: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('must be like team=billing')
  return { ...earlier, [text.slice(0, at)]: text.slice(at + 1) }
}
