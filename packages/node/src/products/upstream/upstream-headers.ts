/** Which header fields cross the border to the upstream and back: those of a list, never any other. So no credential
 *  of the caller and nothing of the connection can pass. */
import type { IncomingHttpHeaders } from 'node:http'

/** Fields that every operation may send. The content type is the node's own: it says what the body was judged as. Conditions are RFC 9110 §13; ranges are not among them, since a part of an
 *  answer cannot be checked by a schema. */
const requestFields = (
  'accept accept-language content-language idempotency-key ' +
  'if-match if-none-match if-modified-since if-unmodified-since'
).split(' ')

/** Fields of every answer that may leave. */
const answerFields =
  'content-type content-language etag last-modified cache-control expires vary link deprecation sunset'.split(' ')

/** Field values that could break a message apart. */
// oxlint-disable-next-line no-control-regex
const unsafeValue = /[^\t\u0020-\u007e\u0080-\u00ff]/

/** The fields for the upstream, name and value in turn: what the request has of the list, then the node's own. */
export function upstreamRequestFields(
  header: (name: string) => string | undefined,
  { declared, own }: { readonly declared: readonly string[]; readonly own: readonly string[] },
): string[] {
  // Without it the upstream may compress, and a compressed answer cannot be checked.
  const fields = ['accept-encoding', 'identity']
  const taken = new Set(['accept-encoding'])
  for (let index = 0; index < own.length; index += 2) {
    if (taken.has(own[index] as string)) continue
    taken.add(own[index] as string)
    fields.push(own[index] as string, own[index + 1] as string)
  }
  for (const name of [...requestFields, ...declared]) {
    const value = header(name)
    if (value === undefined || taken.has(name) || unsafeValue.test(value)) continue
    taken.add(name)
    fields.push(name, value)
  }
  return fields
}

/** The fields of the upstream's answer that may leave, name and value in turn. */
export function releasedAnswerFields(headers: IncomingHttpHeaders, declared: readonly string[]): string[] {
  const fields: string[] = []
  for (const name of declared.length === 0 ? answerFields : new Set([...answerFields, ...declared])) {
    const value = headers[name]
    if (value === undefined) continue
    const text = typeof value === 'string' ? value : value.join(', ')
    if (!unsafeValue.test(text)) fields.push(name, text)
  }
  return fields
}

/** True when the request asks for something only under a condition, so that 304 is an answer to it. */
export function isConditional(header: (name: string) => string | undefined): boolean {
  return header('if-none-match') !== undefined || header('if-modified-since') !== undefined
}
