/** Routes of the node itself for whom it knows: a participant by its signature, or a client by its API key. */
import type { IncomingMessage } from 'node:http'
import { Problem } from '@comity/core/problems'
import { asProblem, problemReply, type Reply } from '../http/problem-response.ts'
import { knownCallerSteps, receive, runSteps, type InboundParts } from './inbound.ts'
import type { InboundCall } from './inbound-call.ts'

/** Runs the checks of who is asking, then `answer`. Throws nothing: an error becomes the reply. */
export function createIdentifiedRoute(
  parts: InboundParts,
  answer: (call: InboundCall) => Promise<Reply>,
): (message: IncomingMessage) => Promise<Reply> {
  const steps = knownCallerSteps({ ...parts, options: { ...parts.options, environment: 'any' } })
  return async (message) => {
    const call = receive(parts, message)
    if (!('request' in call)) return call
    try {
      await runSteps(steps, call)
      if (call.caller === undefined && call.client === undefined)
        throw new Problem('signature-missing', 'this address answers to signed requests and to API keys only')
      return await answer(call)
    } catch (error) {
      const problem = asProblem(error)
      parts.tally.count(problem.code, call.request.remoteAddress)
      if (problem.code === 'internal-error') parts.observer.internalError(problem.cause ?? error, call.id)
      return problemReply(problem, call.id)
    }
  }
}
