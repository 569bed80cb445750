/** The smallest pieces of the policies made up for tests. */
import fc from 'fast-check'

/** Kinds of values. */
export type Kind =
  'Bool' | 'Long' | 'String' | 'Entity' | 'Texts' | 'Entities' | 'Record' | 'ip' | 'decimal' | 'datetime' | 'duration'

/** Entities of a few names. */
export const uids = ['T::U::"a"', 'T::U::"b"', 'T::G::"g"', 'T::G::"h"', 'T::G::"top"', 'T::X::"unheard of"'] as const
const texts = ['', 'a', 'ab', 'aXbX', 'café', '💧*', 'a"\\', 'k', 'l'] as const
/** Of `like`, as policies write them. */
export const patterns = ['*', '', 'a*', '*b', '*a*b*', 'caf*', '*é', '💧\\*', '💧*', 'a\\"*', '**X*'] as const

/** Names that entities and the context have a member of each kind under. */
export const memberNames: Readonly<Record<Kind, string>> = {
  Bool: 'b',
  Long: 'n',
  String: 's',
  Entity: 'e',
  Texts: 'ss',
  Entities: 'es',
  Record: 'r',
  ip: 'ip',
  decimal: 'dec',
  datetime: 'dt',
  duration: 'dur',
}
/** All of them. */
export const kinds = Object.keys(memberNames) as Kind[]

/** Texts of values, some of which Cedar cannot read when it evaluates them. */
export const literals: Readonly<Record<Kind, fc.Arbitrary<string>>> = {
  Bool: fc.constantFrom('true', 'false'),
  Long: fc.oneof(
    // In parentheses, since Cedar reads no `!-1`.
    fc.integer({ min: -3, max: 9 }).map((value) => (value < 0 ? `(${value})` : String(value))),
    fc.constantFrom(
      '9007199254740991',
      '(-9007199254740991)',
      '3037000500',
      '86400000',
      '(9007199254740991 * 1024 + 1023)',
      '(-9007199254740991 * 1024 - 1024)',
    ),
  ),
  String: fc.constantFrom(...texts).map((text) => JSON.stringify(text)),
  Entity: fc.constantFrom(...uids),
  Texts: fc.array(fc.constantFrom(...texts), { maxLength: 3 }).map((list) => JSON.stringify(list)),
  Entities: fc.array(fc.constantFrom(...uids), { maxLength: 3 }).map((list) => `[${list.join(', ')}]`),
  Record: fc.constantFrom(
    '{}',
    '{n: 1, r: {b: true}}',
    '{"n": 2, "r": {"b": false, "s": "a"}}',
    '{"odd name": 1}',
    '{"__proto__": 1}',
  ),
  ip: fc
    .constantFrom(
      '10.0.0.1',
      '10.0.0.0/8',
      '10.1.0.0/16',
      '127.0.0.1',
      '127.0.0.1/7',
      '224.0.0.0/4',
      '224.1.2.3/3',
      '0.0.0.0/0',
      '::1',
      '::/0',
      '2001:db8::/32',
      '2001:db8:0:0::7',
      'ff02::1',
      'ff00::/7',
      '1:2:3:4:5:6:7::',
      '300.0.0.1',
      '1.2.3.4/33',
      '::ffff:1.2.3.4',
      '01.2.3.4',
      '',
    )
    .map((text) => `ip("${text}")`),
  decimal: fc
    .constantFrom(
      '0.0',
      '1.0',
      '1.0000',
      '-0.5',
      '12.3456',
      '922337203685477.5807',
      '-922337203685477.5808',
      '922337203685477.5808',
      '1',
      '.5',
      '1.23456',
    )
    .map((text) => `decimal("${text}")`),
  datetime: fc
    .constantFrom(
      '2026-11-22',
      '1970-01-01',
      '1969-12-31T23:59:59.999Z',
      '2026-11-22T07:30:00Z',
      '2026-11-22T07:30:00.123+0530',
      '2024-02-29',
      '2026-02-29',
      '0000-01-01',
      '9999-12-31T23:59:59-2359',
      '2026-11-22T24:00:00Z',
      '2026-11-22T07:30:00+2400',
      '2026-11-22 07:30',
      '2026-11-22T07:30:60Z',
    )
    .map((text) => `datetime("${text}")`),
  duration: fc
    .constantFrom(
      '1d',
      '-1d',
      '1h30m',
      '90s',
      '1ms',
      '-1500ms',
      '106751991167d',
      '9223372036854775807ms',
      '-9223372036854775808ms',
      '9223372036854775808ms',
      '1h1d',
      '',
      '-',
      '0s',
    )
    .map((text) => `duration("${text}")`),
}
