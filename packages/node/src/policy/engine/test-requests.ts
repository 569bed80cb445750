/** Requests made up for tests, in the words of `test-policies.ts`. */
import fc from 'fast-check'
import type { CedarValue, EntityUid, PolicyEntity, PolicyRequest } from './policy-engine.ts'

function uid(type: string, id: string): EntityUid {
  return { type: `T::${type}`, id }
}

/** The actions and the group that they are in. */
export const testActions: readonly PolicyEntity[] = [
  { uid: uid('Action', 'go'), attrs: {}, parents: [uid('Action', 'all')] },
  { uid: uid('Action', 'stop'), attrs: {}, parents: [uid('Action', 'all')] },
  { uid: uid('Action', 'all'), attrs: {}, parents: [] },
]

const people = [uid('U', 'a'), uid('U', 'b')]
const groups = [uid('G', 'g'), uid('G', 'h'), uid('G', 'top')]
const texts = ['', 'a', 'ab', 'aXbX', 'café', '💧*', 'a"\\', 'k', 'l']
const text = fc.constantFrom(...texts)
const long = fc.oneof(fc.integer({ min: -3, max: 9 }), fc.constantFrom(9007199254740991, -9007199254740991, 86_400_000))
const reference = fc.constantFrom(...people, ...groups).map((of): CedarValue => ({ __entity: { ...of } }))

function extension(fn: string, ...args: readonly string[]): fc.Arbitrary<CedarValue> {
  return fc.constantFrom(...args).map((arg) => ({ __extn: { fn, arg } }))
}

/** One value of each kind, some of them left out. */
const members: fc.Arbitrary<Readonly<Record<string, CedarValue>>> = fc
  .tuple(
    fc.record({
      b: fc.boolean(),
      n: long,
      s: text,
      e: reference,
      ss: fc.array(text, { maxLength: 3 }),
      es: fc.array(reference, { maxLength: 3 }),
      r: fc.constantFrom<CedarValue>({}, { n: 1, r: { b: true } }, { b: true, s: 'a', n: 7, 'odd name': [1] }),
      ip: extension('ip', '10.0.0.1', '10.1.2.0/24', '127.0.0.1', '::1', 'ff02::1', '2001:db8::7'),
      dec: extension('decimal', '0.0', '1.0', '-0.5', '922337203685477.5807'),
      dt: extension('datetime', '2026-11-22T07:30:00.123Z', '1969-12-31', '2026-11-22'),
      dur: extension('duration', '1d', '-1500ms', '0s', '9223372036854775807ms'),
    }),
    fc.option(fc.constantFrom('b', 'n', 's', 'e', 'ss', 'es', 'r', 'ip', 'dec', 'dt', 'dur'), { freq: 3 }),
  )
  .map(([all, without]) => Object.fromEntries(Object.entries(all).filter(([name]) => name !== without)))

const tags = fc.constantFrom<Readonly<Record<string, CedarValue>> | undefined>(
  undefined,
  { k: 1 },
  { k: 2, l: 3 },
  { l: 'a' },
)

function entity(of: EntityUid, parents: readonly EntityUid[]): fc.Arbitrary<PolicyEntity> {
  return fc
    .tuple(members, fc.subarray([...parents]), tags)
    .map(([attrs, some, own]) => ({ uid: of, attrs, parents: some, ...(own === undefined ? {} : { tags: own }) }))
}

const entities = fc
  .tuple(...people.map((person) => entity(person, groups)), entity(groups[0]!, [groups[2]!]), entity(groups[1]!, []))
  .chain((all) => fc.subarray(all, { minLength: 2 }))
  .map(withAllAncestors)

/** As every request must have them: an ancestor's ancestors are ancestors. */
function withAllAncestors(all: readonly PolicyEntity[]): PolicyEntity[] {
  const above = (parent: EntityUid): readonly EntityUid[] =>
    all.find((other) => other.uid.id === parent.id && other.uid.type === parent.type)?.parents ?? []
  return all.map((each) => {
    const found = [...each.parents, ...each.parents.flatMap(above)]
    const unique = new Map(found.map((parent) => [`${parent.type} ${parent.id}`, parent]))
    return { ...each, parents: [...unique.values()] }
  })
}

/** A request; in some the principal is an entity of which nothing is known. */
export const policyRequest: fc.Arbitrary<PolicyRequest> = fc.record({
  principal: fc.constantFrom(...people, ...people, groups[0]!, uid('X', 'unheard of')),
  action: fc.constantFrom(uid('Action', 'go'), uid('Action', 'stop')),
  resource: fc.constantFrom(...people, ...groups),
  context: members,
  entities,
})
