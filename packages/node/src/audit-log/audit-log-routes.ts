/** The log over HTTP (c2sp.org/tlog-tiles): `GET /log/checkpoint` and `GET /log/tile/…`. Answers as plain data. */
import { utf8Bytes } from '@comity/core/bytes/utf8'
import type { AuditLog } from './audit-log.ts'

/** What a handler answers. Header names are lower-case. */
export interface LogAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

type PublishedLog = Pick<AuditLog, 'checkpoint' | 'tile' | 'verifierKey'>

/** Tiles never change; a reader may keep them for good. */
const immutable = 'public, max-age=31536000, immutable'
/** A checkpoint is replaced about once a second. */
const fleeting = 'public, max-age=1, must-revalidate'
const text = 'text/plain; charset=utf-8'
const prefix = '/log/'

/** Answers a GET or HEAD for `path` (as sent, without query); undefined when nothing of the log is there, or the
 *  path is not spelled as the specification does. The caller leaves the body out for HEAD. */
export async function answerLogRequest(log: PublishedLog, path: string): Promise<LogAnswer | undefined> {
  if (!path.startsWith(prefix)) return undefined
  const name = path.slice(prefix.length)
  if (name === 'checkpoint') return found(text, fleeting, utf8Bytes(log.checkpoint()))
  if (name === 'log.vkey') return found(text, fleeting, utf8Bytes(`${log.verifierKey}\n`))
  const tile = name.startsWith('tile/') ? await log.tile(name) : undefined
  return tile && found('application/octet-stream', immutable, tile)
}

function found(contentType: string, cacheControl: string, body: Uint8Array): LogAnswer {
  return { status: 200, headers: { 'content-type': contentType, 'cache-control': cacheControl }, body }
}
