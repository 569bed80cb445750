/** The proxies that Comity is compared with: nginx, the bare Node proxy, `@fastify/http-proxy`. */

import { fileURLToPath } from 'node:url'
import { startScript } from '../processes.ts'
import { findNginx, startNginx } from '../nginx.ts'
import { plainPlan, type SystemUnderTest } from './system.ts'

/** nginx `proxy_pass` with one worker and kept connections; undefined where there is no nginx. */
export async function startNginxProxy(upstreamPort: number): Promise<SystemUnderTest | undefined> {
  const nginx = findNginx()
  if (nginx === undefined) return undefined
  const location = `proxy_pass http://upstream; proxy_http_version 1.1; proxy_set_header connection '';`
  const started = await startNginx(nginx, { location, upstreamPort })
  return { ...started, name: 'nginx', plan: () => plainPlan(started.port) }
}

export async function startNodeProxy(
  name: 'bare-node' | 'fastify-http-proxy',
  upstreamPort: number,
): Promise<SystemUnderTest> {
  const file = fileURLToPath(new URL(`${name}-server.ts`, import.meta.url))
  const started = await startScript(file, [String(upstreamPort)])
  return { ...started, name, plan: () => plainPlan(Number(started.announcement['port'])) }
}

/** The bare Node proxy with TLS 1.3 in front, to see what TLS is of the cost of a node. */
export async function startBareNodeTls(upstreamPort: number): Promise<SystemUnderTest> {
  const file = fileURLToPath(new URL('bare-node-server.ts', import.meta.url))
  const started = await startScript(file, [String(upstreamPort), 'tls'])
  const plan = plainPlan(Number(started.announcement['port']))
  const target = { ...plan.target, tls: { serverName: 'localhost' } }
  return { ...started, name: 'bare-node-tls', plan: () => ({ ...plan, target }) }
}
