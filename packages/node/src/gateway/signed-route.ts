/** Routes of the node itself that only an identified participant may call, e.g. the proof of its own exchange. */
import type { IncomingMessage } from 'node:http'
import { Problem } from '@comity/core/problems'
import { asProblem, problemReply, type Reply } from '../http/problem-response.ts'
import { knownCallerSteps, receive, runSteps, type InboundParts } from './inbound.ts'
import type { Caller, InboundCall } from './inbound-call.ts'

/** Runs the checks of who is asking, then `answer`. Throws nothing: an error becomes the reply. */
export function createSignedRoute(
  parts: InboundParts,
  answer: (caller: Caller, call: InboundCall) => Promise<Reply>,
): (message: IncomingMessage) => Promise<Reply> {
  const steps = knownCallerSteps(parts)
  return async (message) => {
    const call = receive(parts, message)
    if (!('request' in call)) return call
    try {
      await runSteps(steps, call)
      if (call.caller === undefined) throw new Problem('signature-missing', 'this address answers signed requests only')
      return await answer(call.caller, call)
    } catch (error) {
      const problem = asProblem(error)
      parts.tally.count(problem.code, call.request.remoteAddress)
      if (problem.code === 'internal-error') parts.observer.internalError(problem.cause ?? error, call.id)
      return problemReply(problem, call.id)
    }
  }
}
