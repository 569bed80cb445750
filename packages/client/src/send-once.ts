/** One attempt: the request goes out, the whole answer comes in within its bound. */
import type { Fetch } from '@comity/core/ports'
import type { Credential } from './api-key.ts'
import { ComityError } from './comity-error.ts'
import { untilAborted } from './deadline.ts'
import { errorOf } from './judge-answer.ts'
import { readBody } from './read-body.ts'
import { plainSend } from './send-with-key.ts'

export interface PreparedRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Of the own node. */
  readonly credential?: Credential | undefined
  readonly body: string | Uint8Array | undefined
  readonly maxAnswerBytes: number
  /** Of a success only the head is waited for. */
  readonly isStreamed?: boolean
}

export interface ReceivedAnswer {
  /** 0 for a redirect that a browser does not show. */
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array
  /** Instead of `bytes`, which is empty then: what is still on its way. */
  readonly reader?: ReadableStreamDefaultReader<Uint8Array> | undefined
}

interface Within {
  readonly fetch: Fetch
  readonly signal: AbortSignal
}

/** Twice where the key was refused and another one is in use now. Throws `ComityError` `node-unreachable`, `answer-incomplete` or `answer-too-large`, or the signal's reason. */
export async function sendOnce(request: PreparedRequest, within: Within): Promise<ReceivedAnswer> {
  const { answer, key } = await sendAttempt(request, within)
  const { credential } = request
  if (credential === undefined || key === undefined || answer.status !== 401) return answer
  const code = errorOf(answer)?.code ?? ''
  const refusal = { status: answer.status, code, hasReceipt: answer.headers.has('comity-receipt') }
  if (!(await untilAborted(credential.isReplaced(key, refusal), within.signal))) return answer
  return (await sendAttempt(request, within)).answer
}

/** What was answered, and to which key. */
async function sendAttempt(
  request: PreparedRequest,
  { fetch, signal }: Within,
): Promise<{ readonly answer: ReceivedAnswer; readonly key: string | undefined }> {
  const { credential } = request
  const asked = { ...request, signal }
  let response: Response
  let key: string | undefined
  try {
    if (credential === undefined) response = await untilAborted(plainSend(fetch, asked), signal)
    else ({ response, key } = await untilAborted(credential.send(asked), signal))
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof ComityError) throw cause
    throw new ComityError('node-unreachable', 'the own node did not answer', { cause })
  }
  return { answer: await receivedAnswer(request, response, signal), key }
}

async function receivedAnswer(
  request: PreparedRequest,
  response: Response,
  signal: AbortSignal,
): Promise<ReceivedAnswer> {
  if (request.isStreamed === true && response.status < 300 && response.body !== null) {
    const reader = response.body.getReader()
    return { status: response.status, headers: response.headers, bytes: new Uint8Array(0), reader }
  }
  const bytes = await readBody(response, request.maxAnswerBytes, signal)
  return { status: response.status, headers: response.headers, bytes }
}
