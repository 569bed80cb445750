import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareTexts, extensionKinds } from './test-extension-texts.ts'

for (const kind of extensionKinds) {
  test(`what is almost a text of ${kind} is read, or not, as Cedar does`, () => {
    const read = compareTexts(kind, 10_000)
    assert.ok(read > 500 && read < 9500, `${read} of 10_000 pairs were read`)
  })
}
