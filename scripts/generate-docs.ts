/** `npm run docs`: writes the reference pages that are made from the code. A test fails while one is out of date. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generatedPages } from './docs/pages.ts'

const root = join(import.meta.dirname, '..')
for (const [path, text] of Object.entries(generatedPages(root))) {
  writeFileSync(join(root, path), text)
  console.log(path)
}
