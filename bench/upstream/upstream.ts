/** The API behind all systems under test: nginx where the machine has it, else the bundled minimal server. */

import { fileURLToPath } from 'node:url'
import { startScript } from '../processes.ts'
import { findNginx, startNginx } from '../nginx.ts'
import { payload } from './payload.ts'

export interface Upstream extends AsyncDisposable {
  readonly port: number
  /** What a reader of the figures must know: which server answers. */
  readonly name: string
}

export async function startUpstream(): Promise<Upstream> {
  const nginx = findNginx()
  if (nginx !== undefined) {
    const started = await startNginx(nginx, {
      location: `default_type application/json; return 200 '${payload}';`,
    })
    return { ...started, name: nginx.version }
  }
  const started = await startScript(fileURLToPath(new URL('minimal.ts', import.meta.url)))
  return { ...started, port: Number(started.announcement['port']), name: `node:http ${process.version}, bundled` }
}
