import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wantsColors } from './colors.ts'

const cases = [
  ['a terminal', true, {}, true],
  ['a dumb terminal', true, { TERM: 'dumb' }, false],
  ['a terminal whose user wants none', true, { NO_COLOR: '1' }, false],
  ['a pipe', false, {}, false],
  ['a pipe of a build', false, { CI: 'true' }, false],
  ['a pipe whose reader wants colours', false, { FORCE_COLOR: '1' }, true],
  ['a pipe whose reader wants none', false, { FORCE_COLOR: '0' }, false],
] as const

for (const [where, isTerminal, environment, wanted] of cases) {
  test(`${wanted ? 'colours' : 'leaves plain'} what goes to ${where}`, () => {
    assert.equal(wantsColors({ isTerminal, environment }), wanted)
  })
}
