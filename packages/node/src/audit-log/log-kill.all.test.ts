import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readCheckpoint, verifyLogGrowth } from '@comity/core/audit-log/log-reader'
import { ed25519NoteVerifier } from '@comity/core/audit-log/note'
import { verifierKey } from '@comity/core/audit-log/verifier-key'
import { parseTlogProof, verifyTlogProof } from '@comity/core/audit-log/tlog-proof'
import { eventCommitment, eventEntry } from '@comity/core/audit-log/event-commitment'
import { generatePrivateJwk, importSigningKey } from '@comity/core/crypto/crypto-node'
import { openSqlite } from '../storage/sqlite.ts'
import { openAuditLog } from './audit-log.ts'
import { openLogDirectory } from './log-directory.ts'

const rounds = 30
const origin = 'node.example.org/log'
const jwk = generatePrivateJwk('ed25519')
const signingKey = importSigningKey(jwk)
const verifier = ed25519NoteVerifier(verifierKey(origin, signingKey.publicJwk))
const directory = await mkdtemp(join(tmpdir(), 'comity-kill-'))
const source = openLogDirectory(join(directory, 'log'))

after(() => rm(directory, { recursive: true }))

/** Lets the writer run until killed; gives the ids of the events that it said are durable. */
async function writeUntilKilled(afterMs: number): Promise<string[]> {
  const writer = spawn(process.execPath, [
    join(import.meta.dirname, 'log-test-writer.ts'),
    directory,
    JSON.stringify(jwk),
  ])
  let output = ''
  let errors = ''
  writer.stderr.on('data', (data) => (errors += data))
  writer.stdout.on('data', (data) => {
    if (output === '') setTimeout(() => writer.kill('SIGKILL'), afterMs)
    output += data
  })
  const [, signal] = await once(writer, 'close')
  assert.equal(signal, 'SIGKILL', errors)
  return output.split('\n').slice(1, -1)
}

test(`a log killed ${rounds} times keeps and proves every event that it acknowledged, and only grows`, async () => {
  const acknowledged: string[] = []
  let older: { size: number; rootHash: Uint8Array } | undefined
  for (let round = 0; round < rounds; round++) {
    acknowledged.push(...(await writeUntilKilled(Math.random() * 150)))
    const { checkpoint } = await readCheckpoint(source, verifier)
    if (older !== undefined) await verifyLogGrowth(source, older, checkpoint)
    older = checkpoint
  }
  await using database = await openSqlite(join(directory, 'comity.db'))
  const place = { directory: join(directory, 'log'), origin }
  await using log = await openAuditLog({ database, signingKey, randomBytes, ...place })
  await log.integrate()
  await verifyLogGrowth(source, older!, (await readCheckpoint(source, verifier)).checkpoint)
  assert.ok(acknowledged.length > rounds)
  for (const id of acknowledged) {
    const proof = await log.proof(id)
    assert.ok(proof !== undefined && proof !== 'pending' && proof.body !== undefined, id)
    const entry = eventEntry(eventCommitment(proof.body, proof.salt))
    verifyTlogProof(parseTlogProof(proof.proof), entry, { log: verifier })
  }
})
