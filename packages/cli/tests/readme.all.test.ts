/** The README's walk with two nodes works as printed: every block of it, in one shell, in the order of the page. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blockKinds, readPage, section, shellBlocks, walk } from './page-walk.ts'

const readme = readPage('README.md')

test('the walk of the README ends as it says', async () => {
  const { code, out, error } = await walk(shellBlocks(section(readme, 'Two nodes by hand')))
  assert.equal(code, 0, `${out}\n${error}`)
  assert.match(out, /ready\nready\n/)
  assert.equal(out.match(/ is in-force: stations$/gm)?.length, 2)
  assert.match(out, /\{"id":7,"name":"Harbour","celsius":11\.4\}/)
  assert.match(out, /^comity-receipt: ey/m)
  assert.match(out, /✓ the exchange is entry \d+ of the log's \d+, under a signed checkpoint/)
  assert.match(out, /exchange +holder allowed did:web:localhost%3A\d+ stations getStation 200/)
  assert.match(out, /✓ every entry, every tile and the root hash belong together/)
  assert.match(out, /"code":"agreement-terminated"/)
  assert.ok(!out.includes('✗'), out)
})

test('every block of the README is told as shell, so that none goes untested', () => {
  assert.deepEqual(blockKinds(readme), new Set(['sh', 'mermaid']))
  assert.deepEqual(
    shellBlocks(section(readme, 'See it')).map((block) => block.trim()),
    ['npm ci\nnpm run demo -- --once'],
  )
})
