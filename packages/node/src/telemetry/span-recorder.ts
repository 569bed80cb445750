/** The part of tracing that needs OpenTelemetry; loaded by `traces.ts` when a collector is configured. */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Context, type Span } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { AlwaysOnSampler, BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { TraceContext } from './trace-context.ts'
import { hexOf } from './trace-ids.ts'
import type { CallTrace, ExchangeOutcome, ExchangeStart, ExchangeTrace, TracerOptions } from './traces.ts'

export interface SpanRecorder {
  startExchange(start: ExchangeStart): ExchangeTrace
  /** Sends what waits, then stops. Resolves also when the collector is gone. */
  close(): Promise<void>
}

/** A recorder of its own provider: nothing global is registered. */
export function createSpanRecorder(options: TracerOptions): SpanRecorder {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'comity-node',
      'service.version': options.version,
      'comity.participant': options.participant,
    }),
    sampler: new AlwaysOnSampler(),
    idGenerator: {
      generateTraceId: () => hexOf(options.randomBytes(16)),
      generateSpanId: () => hexOf(options.randomBytes(8)),
    },
    spanProcessors: [new BatchSpanProcessor(exporterOf(options))],
  })
  const tracer = provider.getTracer('comity', options.version)
  return {
    startExchange: ({ direction, nowMs, parent }) => {
      const kind = direction === 'inbound' ? SpanKind.SERVER : SpanKind.CLIENT
      const attributes = { 'comity.direction': direction }
      const parentContext = contextOf(parent)
      const span = tracer.startSpan(`exchange ${direction}`, { kind, attributes, startTime: nowMs }, parentContext)
      const inside = trace.setSpan(parentContext, span)
      return {
        startCall: (startMs) =>
          callTrace(tracer.startSpan('call', { kind: SpanKind.CLIENT, startTime: startMs }, inside)),
        end: (outcome, endMs) => endExchange(span, outcome, endMs),
      }
    },
    close: () => provider.shutdown().catch(() => {}),
  }
}

function exporterOf({ endpoint, headers }: TracerOptions): OTLPTraceExporter {
  const url = new URL(endpoint)
  if (url.pathname === '/') url.pathname = '/v1/traces'
  return new OTLPTraceExporter({ url: url.href, headers: { ...headers }, timeoutMillis: 5_000 })
}

function contextOf(parent: TraceContext | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT
  const { traceId, spanId, sampled } = parent
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true })
}

function callTrace(span: Span): CallTrace {
  const { traceId, spanId } = span.spanContext()
  return {
    context: { traceId, spanId, sampled: true },
    end: (status, nowMs) => {
      if (status === undefined || status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
      if (status !== undefined) span.setAttribute('http.response.status_code', status)
      span.end(nowMs)
    },
  }
}

function endExchange(span: Span, outcome: ExchangeOutcome, nowMs: number): void {
  const { exchangeId, peer, product, operation, code, status } = outcome
  const named = { peer, product, operation, code, outcome: outcome.outcome, 'exchange.id': exchangeId }
  for (const [name, value] of Object.entries(named)) if (value !== undefined) span.setAttribute(`comity.${name}`, value)
  span.setAttribute('http.response.status_code', status)
  if (outcome.outcome === 'failed') span.setStatus({ code: SpanStatusCode.ERROR, message: code ?? 'failed' })
  span.end(nowMs)
}
