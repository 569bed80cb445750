/** The admin listener's handler, on the node's services. */
import type { IncomingMessage } from 'node:http'
import { Problem } from '@comity/core/problems'
import { problemReply, type Reply } from '../http/problem-response.ts'
import type { NodeParts } from '../node.ts'

export async function createAdmin(
  parts: NodeParts,
  _ports: object,
): Promise<(message: IncomingMessage) => Promise<Reply>> {
  return async () => problemReply(new Problem('not-found', 'nothing'), parts.newId())
}
