/** When an upstream is spared: after so many failures in a row it is left alone for a while, then one call tries it.
 *  Pure decisions; whoever calls keeps the state. */

export interface CircuitSettings {
  readonly failures: number
  readonly openMs: number
  readonly maxOpenMs: number
}

/** `closed`: calls go through. `open`: none does until a time. `half-open`: one call is on its way to try. */
export type Circuit =
  | { readonly state: 'closed'; readonly failures: number }
  | { readonly state: 'open'; readonly until: number; readonly openMs: number }
  | { readonly state: 'half-open'; readonly openMs: number }

/** How a call ended. `abandoned` says nothing of the upstream: the caller went away. */
export type CallOutcome = 'succeeded' | 'failed' | 'abandoned'

export type CircuitVerdict =
  | { readonly allowed: true; readonly circuit: Circuit; readonly trial: boolean }
  | { readonly allowed: false; readonly retryAfterMs: number }

/** The circuit of an upstream nobody has called. */
export const closedCircuit: Circuit = { state: 'closed', failures: 0 }

/** Whether a call may go to the upstream now (ms). */
export function decideCircuit(circuit: Circuit, now: number): CircuitVerdict {
  if (circuit.state === 'closed') return { allowed: true, circuit, trial: false }
  if (circuit.state === 'half-open') return { allowed: false, retryAfterMs: circuit.openMs }
  // A clock that was set back must not keep the circuit open for longer than it was meant to be.
  const waitMs = Math.min(circuit.until - now, circuit.openMs)
  if (waitMs > 0) return { allowed: false, retryAfterMs: waitMs }
  return { allowed: true, circuit: { state: 'half-open', openMs: circuit.openMs }, trial: true }
}

/** The circuit after a call that `decideCircuit` allowed has ended. `trial` is what its verdict said: late endings of
 *  earlier calls do not touch an open circuit. */
export function afterCall(
  circuit: Circuit,
  call: { readonly outcome: CallOutcome; readonly trial: boolean },
  { settings, now }: { readonly settings: CircuitSettings; readonly now: number },
): Circuit {
  if (circuit.state === 'closed') return afterOrdinaryCall(circuit, call.outcome, { settings, now })
  if (!call.trial || circuit.state !== 'half-open') return circuit
  if (call.outcome === 'succeeded') return closedCircuit
  if (call.outcome === 'abandoned') return { state: 'open', until: now, openMs: circuit.openMs }
  const openMs = Math.min(circuit.openMs * 2, settings.maxOpenMs)
  return { state: 'open', until: now + openMs, openMs }
}

function afterOrdinaryCall(
  circuit: Circuit & { state: 'closed' },
  outcome: CallOutcome,
  { settings, now }: { readonly settings: CircuitSettings; readonly now: number },
): Circuit {
  if (outcome === 'abandoned') return circuit
  if (outcome === 'succeeded') return circuit.failures === 0 ? circuit : closedCircuit
  const failures = circuit.failures + 1
  if (failures < settings.failures) return { state: 'closed', failures }
  return { state: 'open', until: now + settings.openMs, openMs: settings.openMs }
}
