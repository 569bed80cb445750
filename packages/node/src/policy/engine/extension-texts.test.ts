import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareTexts, extensionKinds } from './test-extension-texts.ts'

for (const kind of extensionKinds) {
  test(`what is almost a text of ${kind} is read, or not, as Cedar does`, () => {
    const read = compareTexts(kind, 200)
    assert.ok(read > 10 && read < 190, `${read} of 200 pairs were read`)
  })
}
