/** A network whose holder has policies over a product about people. */
import assert from 'node:assert/strict'
import type { StoredSet } from '../src/policy/sets/policy-set-store.ts'
import type { TestNetwork, TestNode } from './test-network.ts'

/** Puts a set into force at a node: one text, or several by name. */
export async function putPolicies(
  node: TestNode,
  texts: string | Readonly<Record<string, string>>,
): Promise<StoredSet> {
  const named = typeof texts === 'string' ? { 'policies.cedar': texts } : texts
  const { sets } = await node.running.parts.policies.load()
  return sets.put({ texts: Object.entries(named).map(([source, text]) => ({ source, text })) })
}

/** The event of an exchange in a node's log. */
export async function eventOf(node: TestNode, exchange: string): Promise<Record<string, unknown>> {
  const events = await node.running.parts.auditLog.readEvents({ from: 0, limit: 10_000 })
  const event = events.find(({ id }) => id === exchange)
  assert.ok(event?.body !== undefined, `${exchange} is not in the log of ${node.name}`)
  return JSON.parse(event.body) as Record<string, unknown>
}

/** What is kept of the decision about an exchange. */
export async function decisionOf({ holder }: TestNetwork, exchange: string) {
  const { review } = await holder.running.parts.policies.load()
  return review.explain(exchange)
}
