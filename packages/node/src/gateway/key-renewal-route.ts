/** `/keys/renewal`: the client of an API key that is being rotated gets its successor itself, with the old key, and may
 *  ask whether a key works. */
import type { IncomingMessage } from 'node:http'
import { Problem } from '@comity/core/problems'
import { asProblem, problemReply, type Reply } from '../http/problem-response.ts'
import { knownCallerSteps, receive, runSteps, type InboundParts } from './inbound.ts'
import { answerRenewal } from './key-renewal.ts'
import { presentedKey } from './presented-key.ts'

/** The route on the public listener. Throws nothing: an error becomes the reply. */
export function createRenewalRoute(parts: InboundParts): (message: IncomingMessage) => Promise<Reply> {
  const steps = knownCallerSteps({ ...parts, options: { ...parts.options, environment: 'any' } })
  return async (message) => {
    const call = receive(parts, message)
    if (!('request' in call)) return call
    try {
      // The steps take it out of the request.
      const presented = presentedKey(call.request)
      await runSteps(steps, call)
      if (call.client === undefined) throw new Problem('key-required', 'this address answers to API keys only')
      return await answerRenewal({ method: call.request.method, presented }, call.client, parts.keys)
    } catch (error) {
      const problem = asProblem(error)
      parts.tally.count(problem.code, call.request.remoteAddress)
      if (problem.code === 'internal-error') parts.observer.internalError(problem.cause ?? error, call.id)
      return problemReply(problem, call.id)
    }
  }
}
