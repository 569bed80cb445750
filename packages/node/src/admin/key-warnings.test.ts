import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyWarnings } from './key-warnings.ts'

const energy = { id: 'energy', operationIds: ['getMeter'], keys: 'none' } as const
const ranking = { id: 'ranking', operationIds: ['list'], keys: 'plain' } as const
const signed = { id: 'signed', operationIds: ['list'], keys: 'hmac' } as const
const offered = [energy, ranking, signed]
const warned = (scope: object, use: 'plain' | 'hmac' = 'plain') => keyWarnings({ use, scope }, offered).join('\n')

test('products and operations that are not offered are named', () => {
  assert.match(warned({ products: ['nonsense'] }), /^this node offers no product `nonsense`$/)
  assert.match(warned({ operations: ['ranking/nonsense'] }), /^the product `ranking` has no operation `nonsense`$/)
  assert.equal(warned({ products: ['ranking'], operations: ['ranking/list'] }), '')
})

test('a product that takes no key of the use is named with what its declaration needs', () => {
  assert.match(warned({ products: ['energy'] }), /`energy` takes no API keys: its declaration needs `keys: plain`/)
  assert.match(warned({ operations: ['signed/list'] }), /only of the use `hmac`/)
  assert.equal(warned({ products: ['signed', 'ranking'] }, 'hmac'), '')
  const other = { id: 'ranking', operationIds: ['find'], keys: 'none' } as const
  assert.deepEqual(keyWarnings({ use: 'plain', scope: { operations: ['ranking/find'] } }, [ranking, other]), [])
})

test('a key for everything is warned of where no product takes it', () => {
  assert.equal(warned({}), '')
  assert.match(keyWarnings({ use: 'plain', scope: {} }, [energy, signed]).join(), /^no product of this node takes/)
  assert.deepEqual(keyWarnings({ use: 'plain', scope: {} }, []), [])
})
