import { after, before, describe, test } from 'node:test'
import {
  fuzzConsentAdmin,
  fuzzConsentEvents,
  fuzzConsentWire,
  fuzzPeople,
  openConsentTarget,
  type ConsentTarget,
} from './fuzz-consent-stories.ts'

const long = { ms: 20_000 }

describe('damaged messages about consent for minutes', () => {
  let target: ConsentTarget
  before(async () => {
    target = await openConsentTarget()
  })
  after(() => target[Symbol.asyncDispose]())

  const stories = { people: fuzzPeople, wire: fuzzConsentWire, events: fuzzConsentEvents, admin: fuzzConsentAdmin }
  for (const [name, story] of Object.entries(stories))
    test(`of ${name} are never the node's fault`, () => story(target, long))
  test('leave it as it was', () => target.assertUnharmed())
})
