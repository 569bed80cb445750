/** `GET /status/{list}`: a Status List Token (draft-ietf-oauth-status-list-21 §8.1). Answers as plain data. */
import { statusListMediaType } from '@comity/core/status-list/status-list-token'
import { textReply, type Reply } from '../http/problem-response.ts'
import type { StatusLists } from './status-lists.ts'

const path = /^\/status\/([1-9]\d{0,8})$/

/** Answers a GET or HEAD for `target` (a path, without query); undefined when there is no such list. A browser of any
 *  origin may read it (§11.3); no cache may hold it, since a copy's life is in the token and begins with the answer. */
export async function answerStatusRequest(
  lists: Pick<StatusLists, 'token'>,
  target: string,
): Promise<Reply | undefined> {
  const list = path.exec(target)?.[1]
  const token = list === undefined ? undefined : await lists.token(Number(list))
  if (token === undefined) return undefined
  const reply = textReply(200, token, statusListMediaType)
  return { ...reply, headers: [...reply.headers, 'cache-control', 'no-store', 'access-control-allow-origin', '*'] }
}
