/** `comity webhooks`: what the own systems are told of, dead letters, and secrets to sign with. */
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { encodeBase64 } from '@comity/core/bytes/base64'
import { Problem } from '@comity/core/problems'
import type { WebhookMessageView, WebhookTestView } from '@comity/node/admin/admin-api'
import { pooledRandomBytes } from '@comity/node/assembly/world'
import { webhookPublicKey } from '@comity/node/webhooks/webhook-signature'
import { connect, show, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'

export interface MessageListArguments {
  readonly state?: string
  readonly limit: number
}

export async function listMessages(context: CommandContext, options: MessageListArguments): Promise<void> {
  const query = new URLSearchParams({ ...options, limit: String(options.limit) })
  const messages = await (await connect(context)).get<WebhookMessageView[]>(`/v1/webhooks/messages?${query.toString()}`)
  const rows = messages.map(({ id, type, endpoint, client, state, occurred, attempts, nextAttempt, lastError }) => [
    id,
    type,
    endpoint,
    client ?? '',
    state,
    occurred,
    String(attempts),
    nextAttempt ?? '',
    lastError ?? '',
  ])
  show(context, messages, () =>
    table([['id', 'type', 'system', 'client', 'state', 'of', 'tries', 'next try', 'last error'], ...rows]),
  )
}

export interface ReplayArguments {
  readonly all: boolean
  readonly waiting: boolean
  readonly endpoint?: string
}

export async function replayMessages(
  context: CommandContext,
  id: string | undefined,
  { all, waiting, endpoint }: ReplayArguments,
): Promise<void> {
  if ([id !== undefined, all, waiting].filter(Boolean).length !== 1)
    throw new Problem('malformed-request', 'give the id of a message, or `--all`, or `--waiting`')
  const client = await connect(context)
  const order = { id, endpoint, ...(waiting && { state: 'waiting' }) }
  const answer = await client.post<{ readonly replayed: number }>('/v1/webhooks/replay', order)
  const none = waiting ? 'nothing waits' : 'there are no dead letters'
  show(context, answer, () => [
    answer.replayed === 0 ? none : `${answer.replayed} on the way again; see \`webhooks list\``,
  ])
}

export async function testSystem(context: CommandContext, endpoint: string): Promise<void> {
  showTests(context, await (await connect(context)).post<WebhookTestView[]>('/v1/webhooks/test', { endpoint }))
}

/** The command fails when one was not taken. */
export function showTests(context: CommandContext, tests: readonly WebhookTestView[]): void {
  show(context, tests, () =>
    tests.map(({ endpoint, taken, reason = '' }) =>
      taken ? `${endpoint} took the test message` : `${endpoint} did not take the test message: ${reason}`,
    ),
  )
  if (tests.some(({ taken }) => !taken)) context.fail()
}

export interface SecretArguments {
  readonly ed25519: boolean
  readonly out: string
}

/** The secret goes into a file and nowhere else; what may be seen is printed. */
export async function makeSecret(context: CommandContext, { ed25519, out }: SecretArguments): Promise<void> {
  const file = resolve(out)
  const secret = `${ed25519 ? 'whsk_' : 'whsec_'}${encodeBase64(pooledRandomBytes()(32))}`
  await writeNew(out, `${secret}\n`)
  const publicKey = ed25519 ? webhookPublicKey(secret) : undefined
  show(context, { file, ...(publicKey !== undefined && { publicKey }) }, () => [
    `wrote        ${file}`,
    ...(publicKey === undefined
      ? ['Give the receiver a copy of it over a channel that nobody reads along.']
      : [`public key   ${publicKey}`, 'Give the receiver the public key.']),
    `Declare it in comity.yaml: \`secret: { file: ${file} }\`. While it takes over, keep the former one on a second line.`,
  ])
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === 'EEXIST'
    const why = isThere ? 'it is there already; choose another name, or remove it first' : 'it cannot be written'
    throw new Problem('malformed-request', `\`${out(file)}\`: ${why}`, { cause })
  }
}

const out = (file: string): string => file.slice(0, 200)
