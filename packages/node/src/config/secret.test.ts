import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { readSecret, Secret } from './secret.ts'

test('a secret prints as nothing', () => {
  const secret = new Secret('planted')
  assert.equal(`${secret} ${JSON.stringify({ secret })} ${inspect({ secret })}`.includes('planted'), false)
  assert.equal(secret.reveal(), 'planted')
})

test('a secret is read from the environment or from a file, without the line break at its end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'comity-secret-'))
  try {
    writeFileSync(join(folder, 'key'), 'in a file \r\n', { mode: 0o600 })
    assert.equal((await readSecret({ file: 'key' }, {}, folder)).reveal(), 'in a file ')
    assert.equal(
      (await readSecret({ env: 'KEY' }, { KEY: 'in the environment' }, folder)).reveal(),
      'in the environment',
    )
    await assert.rejects(readSecret({ env: 'KEY' }, { KEY: '' }, folder), { code: 'config-invalid' })
    await assert.rejects(readSecret({ file: 'none' }, {}, folder), { code: 'config-invalid' })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
