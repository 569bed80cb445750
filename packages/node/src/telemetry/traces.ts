/** Traces of exchanges (OpenTelemetry): a span for the exchange, one inside for the call to the API or the partner.
 *  Nothing is loaded and nothing is made where no collector is configured. */
import type { RandomBytes } from '@comity/core/ports'
import { newTraceContext, type TraceContext } from './trace-context.ts'

/** What a span says of an exchange: names and codes, nothing of what was asked or answered. */
export interface ExchangeOutcome {
  readonly exchangeId: string
  readonly peer: string | undefined
  readonly product: string | undefined
  /** The operation's id, not the path. */
  readonly operation: string | undefined
  readonly outcome: 'allowed' | 'denied' | 'failed'
  readonly code: string | undefined
  readonly status: number
}

export interface ExchangeTrace {
  /** Opens the span of the call behind the node; its context goes along as `traceparent`. */
  startCall(nowMs: number): CallTrace
  end(outcome: ExchangeOutcome, nowMs: number): void
}

export interface CallTrace {
  readonly context: TraceContext
  /** `status` is undefined when no answer came. */
  end(status: number | undefined, nowMs: number): void
}

export interface ExchangeStart {
  readonly direction: 'inbound' | 'outbound'
  readonly nowMs: number
  /** The trace of an own application. A partner's is never given here: a new trace begins at the border. */
  readonly parent?: TraceContext | undefined
}

export interface Tracer extends AsyncDisposable {
  /** Undefined when traces are off. */
  startExchange(start: ExchangeStart): ExchangeTrace | undefined
}

export interface TracerOptions {
  /** Base address of an OTLP/HTTP collector; `/v1/traces` is added when it has no path. */
  readonly endpoint: string
  /** Share of new traces that are recorded, 0 to 1. */
  readonly ratio: number
  readonly headers: Readonly<Record<string, string>>
  readonly participant: string
  readonly version: string
  readonly randomBytes: RandomBytes
}

/** A tracer for a collector, or one that does nothing when `options` is undefined. Loads OpenTelemetry on the way.
 *  Disposing sends what waits. */
export async function createTracer(options: TracerOptions | undefined): Promise<Tracer> {
  if (options === undefined) return { startExchange: () => undefined, [Symbol.asyncDispose]: async () => {} }
  const { createSpanRecorder } = await import('./span-recorder.ts')
  const recorder = createSpanRecorder(options)
  return {
    startExchange: (start) =>
      isSampled(start.parent, options) ? recorder.startExchange(start) : unrecorded(start.parent, options.randomBytes),
    [Symbol.asyncDispose]: () => recorder.close(),
  }
}

/** A parent's decision is kept, so that a trace is whole or absent. */
function isSampled(parent: TraceContext | undefined, { ratio, randomBytes }: TracerOptions): boolean {
  if (parent !== undefined) return parent.sampled
  const bytes = randomBytes(4)
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) < ratio * 2 ** 32
}

/** An exchange without spans still hands on a context that says so. */
function unrecorded(parent: TraceContext | undefined, randomBytes: RandomBytes): ExchangeTrace {
  return {
    startCall: () => {
      const fresh = newTraceContext(randomBytes, false)
      return { context: parent === undefined ? fresh : { ...fresh, traceId: parent.traceId }, end: () => {} }
    },
    end: () => {},
  }
}
