/** `node log-test-writer.ts DIRECTORY JWK`: appends to a log until it is killed, and prints the id of each event that
 *  is durable. For log-kill.all.test.ts. */
import { importSigningKey } from '@comity/core/crypto/crypto-node'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite } from '../storage/sqlite.ts'
import { auditLogTables } from './audit-log-schema.ts'
import { openAuditLog } from './audit-log.ts'
import { madeUpRandomness } from './log-test-kit.ts'

const [directory = '', jwk = ''] = process.argv.slice(2)
const path = join(directory, 'comity.db')
const isNew = !existsSync(path)
const database = await openSqlite(path)
if (isNew) await database.execute(auditLogTables.map((sql) => ({ sql })))
const log = await openAuditLog({
  database,
  directory: join(directory, 'log'),
  origin: 'node.example.org/log',
  signingKey: importSigningKey(JSON.parse(jwk)),
  randomBytes: madeUpRandomness(`process ${process.pid}`),
  intervalMs: 5,
})
process.stdout.write('open\n')

async function appendForever(lane: number): Promise<never> {
  for (let i = 0; ; i++) {
    const id = `${process.pid}-${lane}-${i}`
    await log.append(log.prepare({ id, type: 'exchange', timeMs: 0, body: `{"id":"${id}"}` }))
    process.stdout.write(`${id}\n`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
await Promise.all(Array.from({ length: 20 }, (_, lane) => appendForever(lane)))
