import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limitRuleSchema, type LimitRuleConfig } from './limit-rule-config.ts'
import { unknownInRules, type NamesForRules } from './unknown-in-rules.ts'

const rule = (name: string, filter: object): LimitRuleConfig =>
  limitRuleSchema.parse({ name, by: ['participant'], for: filter, units: 1, perSeconds: 1 })
const known: NamesForRules = {
  products: [{ id: 'energy', operations: ['getMeter'] }, { id: 'energy', operations: ['getReport'] }, { id: 'open' }],
  participants: [{ alias: 'lab', did: 'did:web:lab.example' }],
  clients: ['billing'],
  // Near enough for what stands below: the first two letters.
  nearest: (name, names) => names.find((one) => one.slice(0, 2) === name.slice(0, 2)),
}
const told = (filter: object, changes: Partial<NamesForRules> = {}) =>
  unknownInRules([rule('first', { products: ['energy'] }), rule('second', filter)], { ...known, ...changes }).map(
    ({ rule: of, place, message, help = '' }) => `${of} ${place}: ${message}${help && `; ${help}`}`,
  )

test('a name that nobody has is told with its rule, its place and the name that was perhaps meant', () => {
  assert.deepEqual(
    told({ products: ['energi'], operations: ['energy/getMetre'], participants: ['labb'], clients: ['biling'] }),
    [
      'second limits.rules[1].for.products: there is no product `energi`; did you mean `energy`?',
      'second limits.rules[1].for.operations: the product `energy` has no operation `getMetre`; did you mean `energy/getMeter`?',
      'second limits.rules[1].for.participants: there is no partner `labb`; did you mean `lab`?',
      'second limits.rules[1].for.clients: there is no client `biling`; did you mean `billing`?',
    ],
  )
  assert.deepEqual(told({ operations: ['energi/getMeter'], participants: ['did:web:lap.example'] }), [
    'second limits.rules[1].for.operations: there is no product `energi`; did you mean `energy`?',
    'second limits.rules[1].for.participants: no partner has the DID `did:web:lap.example`',
  ])
})

test('nothing is said of names that somebody has, nor where it is not known who there is', () => {
  const right = {
    products: ['energy', 'open'],
    operations: ['energy/getReport', 'open/anything'],
    participants: ['lab', 'did:web:lab.example'],
    clients: ['billing'],
  }
  assert.deepEqual(told(right), [])
  const unasked = { participants: undefined, clients: undefined }
  assert.deepEqual(told({ participants: ['nobody'], clients: ['nobody'] }, unasked), [])
})
