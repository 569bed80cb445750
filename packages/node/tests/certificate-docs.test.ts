/** The steps of docs/operating/client.md by which a caller without a node comes to trust a node's own certificate. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startTestNetwork } from './test-network.ts'

const run = promisify(execFile)
const page = join(import.meta.dirname, '../../../docs/operating/client.md')

test('the steps of the page give the fingerprint that the operator tells, and a certificate that Node trusts', async () => {
  const text = await readFile(page, 'utf8')
  const [, steps = ''] =
    /### A node whose certificate is its own\n[^`]*(?:`[^`\n]+`[^`]*)*?```sh\n(.*?)```/s.exec(text) ?? []
  assert.match(steps, /s_client -connect holder\.example:443/)
  const folder = await mkdtemp(join(tmpdir(), 'comity-certificate-'))
  try {
    await using network = await startTestNetwork()
    const { url, fingerprint } = network.holder
    const { host } = new URL(url)
    const { stdout } = await run('sh', ['-c', steps.replace('holder.example:443', host)], { cwd: folder })
    assert.equal(stdout, `${fingerprint}\n`)
    const program = join(folder, 'call.mjs')
    await writeFile(program, `console.log((await fetch('${url}/.well-known/did.json')).status > 0)`)
    const trusting = { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'holder.pem') }
    assert.equal((await run(process.execPath, [program], { env: trusting })).stdout, 'true\n')
    await assert.rejects(run(process.execPath, [program]), /self.signed/i)
  } finally {
    await rm(folder, { recursive: true })
  }
})
