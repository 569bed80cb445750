/** What the client of an API key that is being rotated gets with the old key, on either listener. */
import { Problem } from '@comity/core/problems'
import { jsonReply, type Reply } from '../http/problem-response.ts'
import type { ClientOfGateway, KeysPort } from './key-port.ts'

const notKept = ['cache-control', 'no-store']

/** What is asked of a key, and the key itself where it was presented. */
export interface Renewal {
  readonly method: string
  readonly presented: string | undefined
}

/** Answers who has proved to have a key: `POST` gives the successor; `GET` says that the key works. */
export async function answerRenewal(
  { method, presented }: Renewal,
  { keyId, client, environment, use }: ClientOfGateway,
  { renew }: Pick<KeysPort, 'renew'>,
): Promise<Reply> {
  if (method === 'GET') return jsonReply(200, { keyId, client, environment, use }, notKept)
  if (method === 'POST') return jsonReply(201, await renew(keyId, presented), notKept)
  const members = { allow: ['GET', 'POST'] }
  throw new Problem('method-not-allowed', 'a key is renewed with `POST`, and asked about with `GET`', { members })
}
