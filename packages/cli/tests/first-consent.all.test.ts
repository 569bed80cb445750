/** The walk of `docs/operating/first-consent.md` works as printed: after the README's, in the same shell. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blockKinds, readPage, section, shellBlocks, walk } from './page-walk.ts'

const page = readPage('docs/operating/first-consent.md')
const ofReadme = shellBlocks(section(readPage('README.md'), 'Two nodes by hand'))

/** Between the README's agreement and the end of its nodes. */
function blocks(): string[] {
  const stop = ofReadme.at(-1) ?? ''
  assert.match(stop, /^kill /)
  return [...ofReadme.filter((block) => block !== stop && !block.includes('terminate')), ...shellBlocks(page), stop]
}

test('the walk to the first consent, its end and the deletion receipt ends as it says', async () => {
  const { code, out, error } = await walk(blocks())
  assert.equal(code, 0, `${out}\n${error}`)
  assert.equal(out.match(/ is in-force: athletes$/gm)?.length, 2)
  assert.match(out, /urn:example:sports-medicine@1 is signed/)
  const order = [
    /"state":"requested".*"code":"consent-inactive"/,
    /\{"sport":"rowing","height":181\}/,
    / athletes .*ScientificResearch +sport height/,
    /"state":"withdrawn".*"code":"consent-inactive"/,
    / delete +open .* we owe did:web/,
    /done: deleted; .* is sent the signed receipt/,
    / delete +done .* owes us/,
    /✓ .*deleted/,
  ]
  let at = 0
  for (const expected of order) {
    const found = expected.exec(out.slice(at))
    assert.ok(found, `${expected} in\n${out.slice(at)}\n${error}`)
    at += found.index
  }
  assert.match(out, /^comity-fields-withheld: "weight"\r?$/m)
  assert.ok(!out.includes('"weight":'), 'what was withheld is nowhere')
  assert.ok(!out.includes('✗'), out)
})

test('every block of the page is told as shell, so that none goes untested', () => {
  assert.deepEqual(blockKinds(page), new Set(['sh']))
})
