/** Which API key a text names, as people paste it, and texts without the secrets that are in them. */
import { isApiKeyLike, parseApiKey, parseApiKeyName } from './api-key.ts'

/** Of API keys, of admin tokens, of webhooks. */
const secrets = /(cmty_(?:(?:live|test)_[0-9A-Za-z]{8}|admin)_)[0-9A-Za-z]+|(whs(?:ec|k)_)[0-9A-Za-z+/]{8,}=*/g

/** The id of a key, from the id, the name (`cmty_live_7Qm2xK9a`) or the whole key; nothing of a secret is left in it.
 *  A text that is none of them is an id that no key has, and is given back as it is. Throws `key-malformed` for a key or
 *  a name that some of is missing or mistyped. */
export function keyIdOf(text: string): string {
  const named = text.trim()
  if (!isApiKeyLike(named)) return withoutKeySecrets(named)
  const isName = named.split('_').length === 3
  return (isName ? parseApiKeyName(named) : parseApiKey(named)).id
}

/** The JSON value with `…` in place of the secrets of API keys, in all its texts and names. */
export function valueWithoutKeySecrets<T>(value: T): T {
  const text = JSON.stringify(value)
  if (text === undefined) return value
  const told = withoutKeySecrets(text)
  return told === text ? value : (JSON.parse(told) as T)
}

/** The text with `…` in place of whatever stands where the secret of an API key does, of an admin token or of a webhook,
 *  whole or not. */
export function withoutKeySecrets(text: string): string {
  return text.replace(secrets, '$1$2…')
}
