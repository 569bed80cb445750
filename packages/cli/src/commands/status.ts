/** `comity status`. */
import type { NodeStatus } from '@comity/node/admin/admin-api'
import { connect, show, type CommandContext } from '../command-context.ts'

export async function status(context: CommandContext): Promise<void> {
  const found = await (await connect(context)).get<NodeStatus>('/v1/status')
  show(context, found, () => [
    `${found.name}  ${found.did}`,
    `version ${found.version}, up ${Math.round(found.uptimeMs / 1000)} s, ${found.ready ? 'ready' : 'not ready'}`,
    `public ${found.url}   local port ${found.ports.local}   admin port ${found.ports.admin}`,
    `fingerprint ${found.fingerprint}`,
    `log ${found.log.origin}, ${found.log.size} entries in the checkpoint`,
    `partners ${found.counts.partners}, products ${found.counts.products}, agreements in force ${found.counts.agreements}`,
  ])
}
