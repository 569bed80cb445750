import { after, before, describe, test } from 'node:test'
import { openTarget, type FuzzTarget } from './fuzz-kit.ts'
import { fuzzAdmin, fuzzBytes, fuzzConfig, fuzzEvents, fuzzSignedCalls } from './fuzz-stories.ts'

const forMs = 1_200

describe('a node that is sent damaged input', () => {
  let target: FuzzTarget
  before(async () => {
    target = await openTarget()
  })
  after(() => target[Symbol.asyncDispose]())

  test('refuses damaged messages on every listener', () => fuzzBytes(target, forMs))
  test('refuses signed requests in which anything was changed', () => fuzzSignedCalls(target, 2 * forMs))
  test('takes no damaged security event', () => fuzzEvents(target, forMs))
  test('tells its operator what is wrong with distorted input', () => fuzzAdmin(target, 2 * forMs))
  test('loads no damaged configuration', () => fuzzConfig(target.network.holder.configFile, forMs))
  test('is unharmed', () => target.assertUnharmed({ operatorChanges: true }))
})
