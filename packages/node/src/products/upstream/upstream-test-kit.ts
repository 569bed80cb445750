/** For the tests of the upstream client: run it against a server, look at what a caller would see. */
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { Problem, problemDocument, type ProblemCode } from '@comity/core/problems'
import { startHttpUpstream, startRawUpstream, type TestUpstream } from '../products-test-kit.ts'
import { createUpstream, type UpstreamRequest, type UpstreamSettings } from './upstream.ts'

export const clock = { now: () => performance.now() }
export const defaults: Omit<UpstreamSettings, 'url'> = {
  headers: [],
  timeoutMs: 2_000,
  connectTimeoutMs: 1_000,
  answerBytes: 10_000,
  streamBytes: 1_000_000,
  streamIdleMs: 200,
  concurrency: 4,
  circuit: { failures: 3, openMs: 200, maxOpenMs: 400 },
}

export function requestOf(
  parts: Partial<UpstreamRequest> & { headers?: Record<string, string> } = {},
): UpstreamRequest {
  const { headers = {}, ...rest } = parts
  return { method: 'GET', path: '/a', query: '', header: (name) => headers[name], body: Buffer.alloc(0), ...rest }
}

export async function withUpstream(
  server: TestUpstream,
  settings: Partial<UpstreamSettings>,
  use: (upstream: ReturnType<typeof createUpstream>) => Promise<void>,
): Promise<void> {
  await using _ = server
  const upstream = createUpstream({ ...defaults, url: server.url, ...settings }, clock)
  await use(upstream)
  await upstream[Symbol.asyncDispose]()
}

export const http = async (listener: RequestListener, use: Parameters<typeof withUpstream>[2], settings = {}) =>
  withUpstream(await startHttpUpstream(listener), settings, use)
export const raw = async (
  answer: string | ((socket: Socket, head: string) => void),
  use: Parameters<typeof withUpstream>[2],
  settings: Partial<UpstreamSettings> = {},
) => {
  const write = typeof answer === 'string' ? (socket: Socket) => void socket.end(answer) : answer
  await withUpstream(await startRawUpstream(write), settings, use)
}

/** Checks the code, and that nothing of the upstream shows in what a caller reads. */
export async function refused(call: Promise<unknown>, code: ProblemCode): Promise<Problem> {
  const error = await call.then(
    () => assert.fail('the call was answered'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof Problem, String(error))
  assert.equal(error.code, code)
  assert.doesNotMatch(JSON.stringify(problemDocument(error)), /SECRET|127\.0\.0\.1|node:|at .*\.js/)
  return error
}
