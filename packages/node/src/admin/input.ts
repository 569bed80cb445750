/** Reads what an operator sends: JSON bodies and query parameters, judged by a schema, every mistake told at once. */
import type { IncomingMessage } from 'node:http'
import { parseJson } from '@comity/core/bytes/json'
import { utf8Text } from '@comity/core/bytes/utf8'
import { Problem } from '@comity/core/problems'
import type { z } from 'zod'
import { readBody } from '../http/body.ts'
import { inputMistakes, mistakeSentence } from '../http/input-words.ts'
import type { ReceivedRequest } from '../http/received-request.ts'

/** The value as the schema reads it. Throws `malformed-request` with one entry in `errors` (`path`, `message`) for
 *  each mistake. */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown): z.infer<S> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const errors = inputMistakes(parsed.error)
  throw new Problem('malformed-request', mistakeSentence(errors, 'the input'), { members: { errors } })
}

const accepted = ['application/json']

/** The JSON value of the body. Throws `unsupported-media-type`, `body-too-large`, `malformed-request`. */
export async function readJsonBody(
  message: IncomingMessage,
  request: ReceivedRequest,
  maxBytes: number,
): Promise<unknown> {
  if (request.header('content-type')?.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    throw new Problem('unsupported-media-type', 'send `application/json`', { members: { accepted } })
  }
  if (request.header('content-encoding') !== undefined) {
    throw new Problem('unsupported-media-type', 'send the body without a content coding', { members: { accepted } })
  }
  return parseJson(utf8Text(await readBody(message, request.headers, { bytes: maxBytes })))
}

/** Query parameters by name (`query` as sent, `?` first). Throws `malformed-request` for one that comes twice. */
export function readQuery(query: string): Record<string, string> {
  const values: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of new URLSearchParams(query.slice(1))) {
    if (name in values) throw new Problem('malformed-request', `the parameter \`${name}\` comes twice`)
    values[name] = value
  }
  return values
}
