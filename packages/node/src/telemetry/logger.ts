/** The node's log of what it does, one JSON object a line on standard output. Not the audit log: it proves nothing and
 *  holds nothing of what was exchanged. */
import type { Clock } from '@comity/core/ports'
import { destination, pino, type DestinationStream } from 'pino'
import { safeError, safeFields, safeText } from './safe-fields.ts'

/** `silent` logs nothing. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** What a line says beside its text. Values are made safe; an `Error` under `error` is written with its causes. */
export type LogFields = Readonly<Record<string, unknown>>

export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** True when lines of that level are written; asks before costly fields are gathered. */
  isEnabled(level: Exclude<LogLevel, 'silent'>): boolean
  /** A logger whose lines all carry `fields`. */
  with(fields: LogFields): Logger
  /** Writes out what waits. Call it last. */
  flush(): void
}

export interface LoggerOptions {
  readonly level: LogLevel
  readonly clock: Clock
  /** Where lines go; standard output when left out. */
  readonly output?: DestinationStream
}

/** A logger to standard output. Lines are written without waiting; `flush` before the process ends. */
export function createLogger({ level, clock, output }: LoggerOptions): Logger {
  const stream = output ?? destination({ dest: 1, sync: false })
  const time = (): string => `,"time":"${new Date(clock.now()).toISOString()}"`
  const formatters = { level: (label: string) => ({ level: label }) }
  const base = pino({ level, base: null, timestamp: time, messageKey: 'message', formatters }, stream)
  return wrap(base, () => 'flushSync' in stream && typeof stream.flushSync === 'function' && stream.flushSync())
}

function wrap(base: pino.Logger, flush: () => void): Logger {
  const writer = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
    if (!base.isLevelEnabled(level)) return
    if (fields === undefined) base[level](safeText(message))
    else base[level](safeLine(fields), safeText(message))
  }
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    isEnabled: (level) => base.isLevelEnabled(level),
    with: (fields) => wrap(base.child(safeLine(fields)), flush),
    flush: () => {
      try {
        flush()
      } catch {
        // The stream is closed or was never ready: there is nowhere left to say so.
      }
    },
  }
}

/** `level`, `time` and `message` are the logger's own. */
function safeLine({ error, level: _level, time: _time, message: _message, ...fields }: LogFields): LogFields {
  return { ...safeFields(fields), ...(error === undefined ? {} : { error: safeError(error) }) }
}
