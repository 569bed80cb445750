import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AgreementRecord } from './ports.ts'
import { agreementView } from './views.ts'

const own = 'did:web:federation.example'
const record = (permissions: AgreementRecord['permissions']): AgreementRecord => ({
  id: 'urn:uuid:1',
  state: 'in-force',
  role: 'recipient',
  partner: 'did:web:lab.example',
  permissions,
  overlaps: [],
})

test('the sides of an agreement follow from the node’s role in it', () => {
  const { assigner, assignee } = agreementView(record([]), own)
  assert.deepEqual([assigner, assignee], ['did:web:lab.example', own])
  assert.equal(agreementView({ ...record([]), role: 'holder' }, own).assigner, own)
})

test('several permissions are told together by what any of them allows', () => {
  const view = agreementView(
    record([
      {
        products: ['a'],
        operations: ['x'],
        purposes: ['p'],
        from: '2026-02-01T00:00:00Z',
        until: '2026-03-01T00:00:00Z',
      },
      { products: ['a', 'b'], operations: ['y'], from: '2026-01-01T00:00:00Z', until: '2026-02-01T00:00:00Z' },
    ]),
    own,
  )
  assert.deepEqual(view.products, ['a', 'b'])
  assert.deepEqual(view.operations, ['x', 'y'])
  assert.equal(view.purposes, undefined, 'one of them allows any purpose')
  assert.equal(view.notBefore, '2026-01-01T00:00:00Z')
  assert.equal(view.notAfter, '2026-03-01T00:00:00Z')
})

test('a permission without an end has no end together with others either', () => {
  const view = agreementView(record([{ products: ['a'], until: '2026-03-01T00:00:00Z' }, { products: ['a'] }]), own)
  assert.equal(view.notAfter, undefined)
})
