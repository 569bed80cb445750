/** `/keys/webhooks` of the public listener: a client sets its own webhooks with its key, and shows by a code that was sent
 *  there that it reads what arrives. What is told of a webhook says nothing of how its address answers. */
import { formatDateTime } from '@comity/core/agreement/date-time'
import { parseJson } from '@comity/core/bytes/json'
import { utf8Text } from '@comity/core/bytes/utf8'
import { Problem } from '@comity/core/problems'
import { z } from 'zod'
import { inputMistakes, mistakeSentence } from '../http/input-words.ts'
import { emptyReply, jsonReply, type Reply } from '../http/problem-response.ts'
import { ownSecretOrderSchema, ownWebhookRequestSchema, type ClientWebhook } from './client-webhook.ts'
import { formerEndsMs, publicKeysOf } from './client-webhook-secrets.ts'
import type { ClientWebhooks, KeyedWebhook } from './client-webhooks.ts'

/** A call of a client that has shown its key. */
export interface OwnWebhookCall {
  readonly client: string
  readonly method: string
  readonly path: string
  readonly body: Uint8Array
  readonly nowMs: number
}

const maxBodyBytes = 8 * 1024
const noStore = ['cache-control', 'private, no-store']
const confirmation = z.strictObject({ code: z.string().min(1).max(100) })

/** Answers one call. Throws the problem that the caller should read. */
export async function answerWebhookCall(webhooks: ClientWebhooks, call: OwnWebhookCall): Promise<Reply> {
  const { client, path, nowMs } = call
  const [, id, step] = /^\/keys\/webhooks(?:\/([\w-]{1,100}))?(?:\/(confirmation|secret))?$/.exec(path) ?? []
  if (id === undefined && path !== '/keys/webhooks') throw new Problem('not-found', 'the node has no such address')
  const keyed = ({ webhook, ...key }: KeyedWebhook) => jsonReply(201, { ...shown(webhook, nowMs), ...key }, noStore)
  if (id === undefined) {
    if (isMethod(call, ['GET', 'POST']) === 'GET') {
      return jsonReply(200, { webhooks: (await webhooks.list(client)).map((one) => shown(one, nowMs)) }, noStore)
    }
    return keyed(await webhooks.add(client, read(call, ownWebhookRequestSchema), 'client'))
  }
  if (step === 'confirmation') {
    isMethod(call, ['POST'])
    return jsonReply(200, shown(await webhooks.confirm(client, id, read(call, confirmation).code), nowMs), noStore)
  }
  if (step === 'secret') {
    isMethod(call, ['POST'])
    const { overlapHours } = read(call, ownSecretOrderSchema)
    return keyed(await webhooks.replaceSecret(client, id, { overlapHours, by: 'client' }))
  }
  isMethod(call, ['DELETE'])
  await webhooks.remove(client, id, 'client')
  return emptyReply(204, noStore)
}

/** Throws `method-not-allowed` for any other. */
function isMethod({ method }: OwnWebhookCall, allow: readonly string[]): string {
  if (allow.includes(method)) return method
  throw new Problem('method-not-allowed', 'this address is not for that', { members: { allow } })
}

function read<S extends z.ZodType>({ body }: OwnWebhookCall, schema: S): z.output<S> {
  if (body.length > maxBodyBytes) throw new Problem('body-too-large', `the body is larger than ${maxBodyBytes} bytes`)
  const parsed = schema.safeParse(body.length === 0 ? {} : parseJson(utf8Text(body)))
  if (parsed.success) return parsed.data
  throw new Problem('malformed-request', mistakeSentence(inputMistakes(parsed.error), 'the body'))
}

function shown(webhook: ClientWebhook, nowMs: number) {
  const { id, url, events, format, state, addedBy, createdMs } = webhook
  const ends = formerEndsMs(webhook, nowMs)
  return {
    id,
    endpoint: new URL(url).origin,
    events,
    format,
    ...(format === 'ed25519' && { publicKeys: publicKeysOf(webhook, nowMs) }),
    state,
    addedBy,
    created: formatDateTime(createdMs),
    ...(ends !== undefined && { formerEnds: formatDateTime(ends) }),
  }
}
