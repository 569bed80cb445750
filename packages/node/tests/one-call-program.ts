/** A program as a timer starts it: one call with a kept key, and it ends. Its own process; the address of the node, the
 *  purpose, the file of the key and how it ends are its arguments. */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { createComityClient } from '../../client/src/client.ts'

const [node = '', purpose = '', file = '', end = ''] = process.argv.slice(2)
const store = {
  load: () => readFile(file, 'utf8'),
  async save(text: string) {
    await writeFile(`${file}.new`, text, { mode: 0o600, flush: true })
    await rename(`${file}.new`, file)
  },
}
const comity = createComityClient({ node, purpose, apiKey: store })
const items = comity.product('holder', 'items')
await items.get('/items/7')
if (end === 'later') {
  // The key is rotated when the parent says so, after this program has begun.
  process.stdout.write('called\n')
  await new Promise((resolve) => process.stdin.once('data', resolve))
  await items.get('/items/7')
}
if (end !== 'by-itself') {
  await comity.close()
  process.exit(0)
}
