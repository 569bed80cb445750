import { after, before, describe, test } from 'node:test'
import {
  fuzzConsentAdmin,
  fuzzConsentEvents,
  fuzzConsentWire,
  fuzzPeople,
  openConsentTarget,
  type ConsentTarget,
} from './fuzz-consent-stories.ts'

/** For each story; `fuzz-consent.all.test.ts` takes longer. */
const brief = { batches: 4 }

describe('damaged messages about consent', () => {
  let target: ConsentTarget
  before(async () => {
    target = await openConsentTarget()
  })
  after(() => target[Symbol.asyncDispose]())

  const stories = { people: fuzzPeople, wire: fuzzConsentWire, events: fuzzConsentEvents, admin: fuzzConsentAdmin }
  for (const [name, story] of Object.entries(stories))
    test(`of ${name} are never the node's fault`, () => story(target, brief))
  test('leave it as it was', () => target.assertUnharmed())
})
