import assert from 'node:assert/strict'
import { test } from 'node:test'
import { versionFaults, type VersionDraft } from './versions.ts'

const ended = '2026-01-01T00:00:00Z'
const a = (parts: VersionDraft = {}): VersionDraft => ({ id: 'a', version: '1', ...parts })
const faults = (...products: VersionDraft[]) => versionFaults(products).map(({ index, path }) => `${index} ${path}`)

test('takes several versions of which one is current, and a product on its way out', () => {
  assert.deepEqual(faults(a({ deprecated: ended }), a({ version: '2' })), [])
  assert.deepEqual(faults(a({ deprecated: ended, sunset: '2027-01-01T00:00:00+02:00' })), [])
  assert.deepEqual(faults(a({ version: 'any text' })), [])
  assert.deepEqual(faults(a({ deprecated: ended, successor: 'b' }), { id: 'b', version: '1' }), [])
})

test('refuses two current versions, and a version twice', () => {
  assert.deepEqual(faults(a(), a({ version: '2' })), ['1 id'])
  assert.deepEqual(faults(a(), a()), ['1 id'])
  assert.deepEqual(faults(a(), a({ deprecated: ended })), ['1 version'])
})

test('refuses a version that no path can hold, where it is needed to tell versions apart', () => {
  assert.deepEqual(faults(a({ version: '1/0', deprecated: ended }), a({ version: '2 beta' })), [
    '0 version',
    '1 version',
  ])
})

test('refuses a sunset before the deprecation or without one', () => {
  assert.deepEqual(faults(a({ sunset: ended })), ['0 sunset'])
  assert.deepEqual(faults(a({ deprecated: ended, sunset: '2025-12-31T23:59:59Z' })), ['0 sunset'])
})

test('refuses a successor that is not there, and the version itself', () => {
  assert.deepEqual(faults(a({ deprecated: ended, successor: 'b' })), ['0 successor'])
  assert.deepEqual(faults(a({ deprecated: ended, successor: 'a@2' })), ['0 successor'])
  assert.deepEqual(faults(a({ deprecated: ended, successor: 'a@1' })), ['0 successor'])
})
