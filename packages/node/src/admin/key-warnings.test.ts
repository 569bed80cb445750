import assert from 'node:assert/strict'
import { test } from 'node:test'
import { environmentWarnings, keyWarnings, lifetimeWarnings } from './key-warnings.ts'

const without = { fieldsOf: () => [] }
const energy = { id: 'energy', operationIds: ['getMeter'], keys: 'none', labelling: without } as const
const labelling = { fieldsOf: (operation: string) => (operation === 'list' ? ['name', 'address'] : ['rank']) }
const ranking = { id: 'ranking', operationIds: ['list', 'show'], keys: 'plain', labelling } as const
const signed = { id: 'signed', operationIds: ['list'], keys: 'hmac', labelling: without } as const
const offered = [energy, ranking, signed]
const warned = (scope: object, use: 'plain' | 'hmac' = 'plain') => keyWarnings({ use, scope }, offered).join('\n')

test('products and operations that are not offered are named', () => {
  assert.match(warned({ products: ['nonsense'] }), /^this node offers no product `nonsense` itself: /)
  assert.match(warned({ operations: ['ranking/nonsense'] }), /^the product `ranking` has no operation `nonsense`$/)
  assert.equal(warned({ products: ['ranking'], operations: ['ranking/list'] }), '')
})

test('a product that takes no key of the use is named with what its declaration needs', () => {
  assert.match(warned({ products: ['energy'] }), /`energy` takes no API keys: its declaration needs `keys: plain`/)
  assert.match(warned({ operations: ['signed/list'] }), /only of the use `hmac`/)
  assert.equal(warned({ products: ['signed', 'ranking'] }, 'hmac'), '')
  const other = { id: 'ranking', operationIds: ['find'], keys: 'none', labelling: without } as const
  assert.deepEqual(keyWarnings({ use: 'plain', scope: { operations: ['ranking/find'] } }, [ranking, other]), [])
})

test('a key for everything is warned of where no product takes it', () => {
  assert.equal(warned({}), '')
  assert.match(keyWarnings({ use: 'plain', scope: {} }, [energy, signed]).join(), /^no product of this node takes/)
  assert.deepEqual(keyWarnings({ use: 'plain', scope: {} }, []), [])
})

test('a field that no operation within the scope has is named', () => {
  const unknown = (fields: string[], scope: object = {}) => warned({ fields, ...scope })
  assert.equal(unknown(['name', 'address.city', 'rank']), '')
  assert.match(unknown(['nmae']), /^no operation that the key reaches has a labelled field `nmae`$/)
  assert.match(unknown(['rank'], { operations: ['ranking/list'] }), /`rank`/)
  assert.equal(unknown(['rank'], { products: ['ranking'] }), '')
  assert.match(unknown(['rank'], { products: ['nonsense'] }), /^this node offers no product `nonsense` itself: /)
})

test('a lifetime that is over before the client’s keys are rotated is told, with when they are instead', () => {
  const policies = { rotateEveryDays: 90, overlapDays: 14 }
  assert.match(lifetimeWarnings({ lifetimeDays: 30 }, policies).join(), /good for 30 days.*rotated 14 days before/)
  assert.match(lifetimeWarnings({ lifetimeDays: 90 }, policies).join(), /`rotateEveryDays` \(90\)/)
  assert.match(lifetimeWarnings({ lifetimeDays: 10 }, policies).join(), /rotated 5 days before/)
  assert.deepEqual(lifetimeWarnings({ lifetimeDays: 91 }, policies), [])
  assert.deepEqual(lifetimeWarnings({ lifetimeDays: 30 }, { overlapDays: 14 }), [])
  assert.deepEqual(lifetimeWarnings({}, policies), [])
})

test('a key for the other environment than all that it reaches is warned of', () => {
  const sandbox = { ...ranking, id: 'sandbox', environment: 'test' } as const
  const told = (environment: 'live' | 'test', scope: object = {}, products = [ranking, sandbox]) =>
    environmentWarnings({ environment, scope }, products, 'live').join()
  assert.match(told('test', {}, []), /^what the key reaches on this node is `live`: a `test` key is refused there/)
  assert.match(told('test', { products: ['ranking'] }), /is `live`/)
  assert.match(told('live', { operations: ['sandbox/list'] }), /is `test`: a `live` key is refused there/)
  for (const scope of [{}, { products: ['sandbox'] }]) assert.equal(told('test', scope), '')
  for (const scope of [{}, { products: ['ranking', 'sandbox'] }, { products: ['of-a-partner'] }])
    assert.equal(told('live', scope), '')
})
