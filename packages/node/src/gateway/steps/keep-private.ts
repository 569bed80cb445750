/** Step 11, `keep-private`: who may keep what leaves (RFC 9111). An answer for one caller is in no cache that others share,
 *  whatever the upstream says of it, and one about a person is asked for anew before each use: the consent may have ended. */
import { isIdentified } from '../calling-party.ts'
import type { InboundCall, Step } from '../inbound-call.ts'

/** What an upstream may say of a cache that one caller has to itself: RFC 9111 §5.2.2, RFC 5861, RFC 8246. */
const narrow =
  /^(?:no-cache|no-transform|must-revalidate|immutable|(?:max-age|stale-while-revalidate|stale-if-error)=\d{1,9})$/

/** Fields of a request that decide what is answered. */
const varies = [
  'accept',
  'accept-language',
  'authorization',
  'comity-actor',
  'comity-agreement',
  'comity-consent',
  'comity-purpose',
  'comity-subject',
]

/** The fields of an answer for one caller, name and value in turn. `isPersonal` for one that a consent covers. */
export function keptPrivate(headers: readonly string[], isPersonal: boolean): string[] {
  const said = elementsOf(headers, 'cache-control')
  if (said.some((element) => element.includes('no-store'))) {
    return [...without(headers, ['cache-control', 'expires']), 'cache-control', 'no-store']
  }
  if (isPersonal) return [...without(headers, ['cache-control', 'expires']), 'cache-control', 'private, no-cache']
  const kept = ['private', ...said.filter((element) => narrow.test(element))]
  const vary = new Set([...varies, ...elementsOf(headers, 'vary')])
  return [
    ...without(headers, ['cache-control', 'vary']),
    'cache-control',
    [...new Set(kept)].join(', '),
    'vary',
    vary.has('*') ? '*' : [...vary].join(', '),
  ]
}

function elementsOf(headers: readonly string[], name: string): string[] {
  const values = headers.filter((_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === name)
  return values
    .flatMap((value) => value.toLowerCase().split(','))
    .map((element) => element.trim())
    .filter((element) => element !== '')
}

function without(headers: readonly string[], names: readonly string[]): string[] {
  return headers.filter((_, index) => !names.includes(headers[index - (index % 2)]?.toLowerCase() ?? ''))
}

export const keepPrivate: Step = {
  name: 'keep-private',
  run(call: InboundCall) {
    const { answer, consent, product } = call
    if (answer === undefined || (product?.productClass === 'public' && !isIdentified(call))) return
    call.answer = { ...answer, headers: keptPrivate(answer.headers, consent !== undefined) }
  },
}
