/** Replicas, opened at the start where some are configured or kept, else with the first call that asks for one. */
import type { IncomingMessage } from 'node:http'
import type { Reply } from '../http/problem-response.ts'
import type { Database } from '../storage/database.ts'
import type { Replicas } from '../replicas/replicas.ts'
import type { ReplicaAssembly } from './replicas.ts'

/** Replicas as the rest of the node sees them. */
export interface ReplicasOfNode {
  /** Hands on what is not about replicas. */
  handle(message: IncomingMessage): Promise<Reply>
  /** Nothing where none were opened. */
  tend(): Promise<void>
}

/** Calls that name none go on at once. */
export async function openReplicasWhenNeeded(
  parts: ReplicaAssembly,
  handOn: (message: IncomingMessage) => Promise<Reply>,
): Promise<ReplicasOfNode> {
  let opening: Promise<Replicas> | undefined
  const open = () => (opening ??= import('./replicas.ts').then(({ openReplicas }) => openReplicas(parts)))
  const { config, database } = parts.foundation
  if (config.replicas.length > 0 || (await hasRows(database))) await open()
  return {
    handle: async (message) => (isAboutReplicas(message) ? (await open()).answer(message) : handOn(message)),
    tend: async () => (await opening)?.tend(),
  }
}

async function hasRows(database: Database): Promise<boolean> {
  return (await database.get('SELECT 1 FROM replicas LIMIT 1')) !== undefined
}

function isAboutReplicas({ headers, url }: IncomingMessage): boolean {
  return headers['comity-replica'] !== undefined || url?.startsWith('/~replicas/') === true
}
