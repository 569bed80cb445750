import assert from 'node:assert/strict'
import { test } from 'node:test'
import { policySchemaText } from './policy-schema.ts'
import { cedarVersion, loadCedar } from '../engine/cedar-wasm.ts'
import { comityActions } from '../engine/comity-actions.ts'

test('the actions are in the groups that the schema puts them in', () => {
  const answer = loadCedar().schemaToJson(policySchemaText())
  assert.ok(answer.type === 'success')
  const actions = answer.json['Comity']?.actions ?? {}
  const above = (id: string): string[] =>
    (actions[id]?.memberOf ?? []).flatMap((parent) => [parent.id, ...above(parent.id)])
  const ofSchema = Object.keys(actions).map((id) => [id, [...new Set(above(id))].toSorted()])
  const ours = comityActions.map(({ uid, parents }) => [uid.id, parents.map(({ id }) => id).toSorted()])
  assert.deepEqual(Object.fromEntries(ours), Object.fromEntries(ofSchema))
})

test('the version that prepared sets are kept under is that of the package', () => {
  assert.equal(loadCedar().getCedarVersion(), cedarVersion)
})
