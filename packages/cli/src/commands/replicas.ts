/** `comity replicas`: what this node keeps of what it received. */
import type { ReplicaView } from '@comity/node/admin/replica-api'
import { connect, show, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'

const replicaPath = (id: string) => `/v1/replicas/${encodeURIComponent(id)}`

export interface ReplicaListArguments {
  readonly holder?: string
  readonly consent?: string
  readonly after?: string
  readonly limit: number
}

export async function listReplicas(context: CommandContext, options: ReplicaListArguments): Promise<void> {
  const { limit, ...rest } = options
  const query = new URLSearchParams({ ...rest, limit: String(limit) })
  const replicas = await (await connect(context)).get<ReplicaView[]>(`/v1/replicas?${query.toString()}`)
  const rows = replicas.map((replica) => [
    replica.id,
    replica.product,
    replica.operation ?? '',
    replica.validated,
    replica.until ?? 'without end',
    replica.consent ?? '',
    [replica.hasContent ? 'content' : '', replica.hasOwnFields ? 'own fields' : ''].filter(Boolean).join(', '),
  ])
  show(context, replicas, () =>
    table([['id', 'product', 'operation', 'as of', 'kept until', 'consent', 'has'], ...rows]),
  )
}

export async function showReplica(context: CommandContext, id: string): Promise<void> {
  const replica = await (await connect(context)).get<ReplicaView>(replicaPath(id))
  context.terminal.out(JSON.stringify(replica, null, 2))
}

export async function removeReplica(context: CommandContext, id: string): Promise<void> {
  await (await connect(context)).delete(replicaPath(id))
  show(context, { removed: id }, () => [`${id} is removed, with its own fields`])
}
