import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { PreparedSet } from '../engine/policy-engine.ts'
import { prepareSet } from './prepare-set.ts'
import { unknownNames, type KnownNames } from './unknown-names.ts'

const known: KnownNames = {
  labels: [{ path: 'address', domain: 'identity.address' }],
  products: [{ id: 'athletes', operations: ['athlete', 'results'] }],
  groups: ['labs'],
  participants: ['did:web:lab.example'],
  nearest: (name, names) => names.find((each) => each.length === name.length),
}
const text = `
@id("good") @fields("address.city") permit (
  principal in Comity::Group::"labs",
  action == Comity::Action::"read",
  resource in Comity::Product::"athletes"
) when { resource in Comity::Data::"identity" && resource != Comity::Operation::"athletes/results" && principal != Comity::Participant::"anonymous" && principal != Comity::Human::"did:web:lab.example/kim" };
@id("slips") @fields("adress") @domains("sport") permit (
  principal in Comity::Group::"labz",
  action,
  resource == Comity::Operation::"athletes/athelte"
) unless {
  principal == Comity::Participant::"did:web:other.example" || principal in Comity::Participant::"lab" ||
  principal == Comity::Service::"billing" || principal == Comity::Device::"did:web:none.example/scale" ||
  resource in Comity::Product::"athletez" || resource in Comity::Data::"body" ||
  resource == Comity::Operation::"results" || resource == Comity::Operation::"other/results"
};`
let set: PreparedSet
before(async () => {
  const preparation = await prepareSet([{ source: 'rules.cedar', text }])
  if (!preparation.ok) assert.fail(JSON.stringify(preparation.faults))
  set = preparation.set
})

test('every name that the node does not know is a warning, with the line of its policy and what was meant', () => {
  const warnings = unknownNames(set.policies, known)
  assert.deepEqual(
    warnings.map(({ message, help }) => (help === undefined ? message : `${message} ${help}`)),
    [
      'nobody is in the group `labz` did you mean `labs`?',
      'the product `athletes` has no operation `athelte` did you mean `athlete`?',
      'no partner has the DID `did:web:other.example`',
      '`lab` is no DID, by which participants are named',
      '`billing` is no service: one is named `<DID of its participant>/<its own id>`',
      'no partner has the DID `did:web:none.example`',
      'there is no product `athletez` did you mean `athletes`?',
      'no product has data of the domain `body`',
      '`results` is no operation: one is named `<product>/<operation>`',
      'there is no product `other`',
      'no product has a field `adress`',
      'no product has data of the domain `sport`',
    ],
  )
  for (const { source, line, policy } of warnings) assert.deepEqual([source, line, policy], ['rules.cedar', 7, 'slips'])
})

test('of what nothing is known nothing is said', () => {
  const { groups: _, participants: __, ...less } = known
  const told = unknownNames(set.policies, less).map(({ message }) => message)
  assert.ok(
    told.every((message) => !/group|no partner/.test(message)),
    told.join('\n'),
  )
  assert.ok(told.some((message) => /is no DID/.test(message)))
})
