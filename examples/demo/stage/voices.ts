/** How the demo prints: for people, or as one JSON object a line. */
import colors from 'picocolors'

/** The outcome of one step. */
export interface Told {
  readonly step: string
  readonly ok: boolean
  readonly ms: number
  readonly detail: string
  readonly note: string | undefined
}

export interface Voice {
  begin(step: string): void
  tell(told: Told): void
  chapter(title: string, sentence: string): void
  say(line: string): void
  /** Takes back a line of progress. */
  end(): void
}

/** `{"step","ok","ms","detail"}` a line, nothing else. */
export function jsonVoice(output: NodeJS.WriteStream): Voice {
  const quiet = (): void => {}
  return {
    begin: quiet,
    chapter: quiet,
    say: quiet,
    end: quiet,
    tell({ step, ok, ms, detail, note }) {
      const whole = note === undefined ? detail : `${detail}; ${note}`
      output.write(`${JSON.stringify({ step, ok, ms, detail: whole })}\n`)
    },
  }
}

const nameWidth = 30
const narrowest = 40
const progressIntervalMs = 100

function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** A terminal sees which step is running and for how long; a file only what came of it. */
export function textVoice(output: NodeJS.WriteStream): Voice {
  const progress = createProgress(output)
  const margin = ' '.repeat(nameWidth + 2)
  const width = Math.max(narrowest, Math.min(output.columns ?? 120, 120) - margin.length - 1)
  return {
    begin: progress.begin,
    end: progress.end,
    say: (line) => void output.write(`${line}\n`),
    chapter: (title, sentence) => void output.write(`\n${colors.bold(title)}\n${colors.dim(sentence)}\n\n`),
    tell({ step, ok, ms, detail, note }) {
      progress.end()
      const mark = ok ? colors.green('✓') : colors.red('✗')
      const [first = '', ...rest] = wrap(detail, width)
      const paint = ok ? (text: string) => text : colors.red
      output.write(`${mark} ${step.padEnd(nameWidth)}${paint(first)}  ${colors.dim(seconds(ms))}\n`)
      for (const line of rest) output.write(`${margin}${paint(line)}\n`)
      for (const line of wrap(note ?? '', width)) output.write(`${margin}${colors.dim(line)}\n`)
    },
  }
}

function createProgress(output: NodeJS.WriteStream) {
  let timer: NodeJS.Timeout | undefined
  const isTerminal = output.isTTY === true
  const clear = '\r\u001b[K'
  return {
    begin(step: string): void {
      if (!isTerminal) return
      const startedMs = performance.now()
      const show = (): void => {
        const time = colors.dim(seconds(performance.now() - startedMs))
        output.write(`${clear}${colors.cyan('…')} ${step.padEnd(nameWidth)}${time}`)
      }
      show()
      timer = setInterval(show, progressIntervalMs)
      timer.unref()
    },
    end(): void {
      clearInterval(timer)
      if (isTerminal) output.write(clear)
    },
  }
}

/** Lines of at most `width` characters, broken at spaces; a longer word has a line of its own. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else if (word !== '') lines.push(word)
  }
  return lines
}
