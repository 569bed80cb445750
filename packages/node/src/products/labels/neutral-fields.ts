/** Fields of an answer that say nothing of what is in it, as far as their syntax leaves no room for anything else.
 *  Validators, digests and lengths tell of the whole body; links and places name the person as the upstream does;
 *  fields of the API's own may hold anything: of those none is neutral. */

const readers: Readonly<Record<string, (value: string) => string | undefined>> = {
  'content-language': (value) => listOf(value, languagePattern, 8),
  'cache-control': (value) => listOf(value, cachePattern, 12),
  expires: (value) => (value === '0' ? value : httpDate(value)),
  deprecation: structuredDate,
  sunset: httpDate,
}

/** Language, script, and a country or one of the regions that languages are told apart by (BCP 47): variants and
 *  private subtags could hold a name. */
const languagePattern = /^[a-z]{2,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|001|150|419))?$/
/** RFC 9111 §5.2.2, RFC 5861, RFC 8246; none of the directives that name fields. */
const cachePattern =
  /^(?:no-store|no-cache|no-transform|private|public|must-revalidate|proxy-revalidate|must-understand|immutable|(?:max-age|s-maxage|stale-while-revalidate|stale-if-error)=(?:0|[1-9]\d{0,8}))$/

/** The field's value as it may leave; undefined when the field (its name in lower case) is not neutral, or its value is
 *  anything but what the field is for. */
export function neutralValue(name: string, value: string): string | undefined {
  return Object.hasOwn(readers, name) ? readers[name]?.(value.trim()) : undefined
}

/** Every element must fit, and none may stand twice. */
function listOf(value: string, pattern: RegExp, maxElements: number): string | undefined {
  const elements = value.split(',').map((element) => element.trim())
  const names = elements.map((element) => element.toLowerCase())
  const isPlain = names.every((name) => pattern.test(name))
  const single = new Set(names.map((name) => name.split('=')[0]))
  return isPlain && names.length <= maxElements && single.size === names.length ? names.join(', ') : undefined
}

/** RFC 9110 §5.6.7, the form that senders must use. */
function httpDate(value: string): string | undefined {
  const moment = Date.parse(value)
  return !Number.isNaN(moment) && new Date(moment).toUTCString() === value ? value : undefined
}

/** RFC 9745 §2.1: a date of RFC 9651. */
function structuredDate(value: string): string | undefined {
  return /^@(?:0|[1-9]\d{0,10})$/.test(value) ? value : undefined
}
