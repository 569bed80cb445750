import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  addressInPath,
  isAddressed,
  productAddressShape,
  splitProductAddress,
  versionAddress,
} from './product-address.ts'
import { normalisePath } from './path.ts'

test('an address names a product, or one version of it', () => {
  assert.deepEqual(splitProductAddress('athletes'), { id: 'athletes', version: undefined })
  assert.deepEqual(splitProductAddress('athletes@1.0'), { id: 'athletes', version: '1.0' })
  for (const good of ['a', 'athletes@1', 'athletes@2026-11-22', 'athletes@v1.0_rc']) {
    assert.match(good, productAddressShape)
  }
  for (const bad of ['', '@1', 'Athletes', 'athletes@', 'athletes@1/2', 'athletes@1@2', 'athletes@1 0', 'athletes@.']) {
    assert.doesNotMatch(bad, productAddressShape)
  }
})

test('the address in a path is one whole segment, and normalising leaves it as it is', () => {
  const path = `/x/${versionAddress('athletes', '1.0')}/athletes/7`
  assert.equal(addressInPath(path), 'athletes@1.0')
  assert.equal(normalisePath(path), path)
  assert.equal(addressInPath('/x/athletes'), 'athletes')
  assert.equal(addressInPath('/y/athletes'), '')
})

test('an answer of another version is not the one that was asked for', () => {
  const answered = { prd: 'athletes', ver: '2.0' }
  assert.ok(isAddressed('athletes', answered))
  assert.ok(isAddressed('athletes@2.0', answered))
  assert.ok(!isAddressed('athletes@1.0', answered))
  assert.ok(!isAddressed('athletes@2', answered))
  assert.ok(!isAddressed('athlete', answered))
  assert.ok(!isAddressed('', answered))
})
