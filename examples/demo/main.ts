/** `npm run demo`: three participants, an agreement, exchanges, refusals, consent, policies and proof, on this machine. */
import { enableCompileCache } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import colors from 'picocolors'
import { parseOptions, usage, type DemoOptions } from './options.ts'
import { createReport, type Report } from './stage/report.ts'
import { jsonVoice, textVoice } from './stage/voices.ts'

/** How long a running step may take to end after Ctrl-C. */
const endingLimitMs = 5_000

enableCompileCache()
// Not left to the event loop: whatever is still open must not keep the demo from ending.
process.exit(await main(process.argv.slice(2)))

/** Exit codes: 0 every step did what it must, 1 one did not, 2 the arguments are wrong, 130 interrupted before the end. */
async function main(args: readonly string[]): Promise<number> {
  let options: DemoOptions
  try {
    options = parseOptions(args)
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}\n`)
    return 2
  }
  if (options.help) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  return perform(options, createReport((options.json ? jsonVoice : textVoice)(process.stdout)))
}

async function perform(options: DemoOptions, report: Report): Promise<number> {
  const untilInterrupted = interruption()
  await using stack = new AsyncDisposableStack()
  const played = playAll(options, report, stack)
  const isInterrupted = (await Promise.race([played, untilInterrupted])) === 'interrupted'
  if (isInterrupted) {
    report.interrupt()
    await Promise.race([played, sleep(endingLimitMs)])
    return 130
  }
  if (!options.once && (await played)) await untilInterrupted
  return report.failed === 0 ? 0 : 1
}

/** Resolves at the first signal to end, or when nobody reads the output any more; a second signal ends at once. */
function interruption(): Promise<'interrupted'> {
  return new Promise((resolve) => {
    let count = 0
    const interrupt = (): void => {
      count += 1
      if (count > 1) process.exit(130)
      resolve('interrupted')
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt)
    process.stdout.on('error', () => resolve('interrupted'))
  })
}

/** True when the last scene was reached. */
async function playAll(options: DemoOptions, report: Report, stack: AsyncDisposableStack): Promise<boolean> {
  const startedMs = performance.now()
  report.say(`${colors.bold('Comity')}: an application of one organisation reads another’s API, and both can prove it.`)
  let isFinished = false
  try {
    const { play } = await import('./story.ts')
    await play(options, report, stack)
    isFinished = true
  } catch (error) {
    // A step that failed has told why; anything else has not.
    if (report.failed === 0) await report.attempt('the demo', () => Promise.reject(error as Error))
  }
  report.say('', summary(report, performance.now() - startedMs))
  if (isFinished && !options.once) report.say(colors.dim('Everything keeps running until Ctrl-C.'))
  return isFinished
}

function summary({ done, failed }: Report, ms: number): string {
  const time = `in ${(ms / 1_000).toFixed(1)} s`
  if (failed === 0) return colors.green(`All ${done} steps did what they must, ${time}.`)
  return colors.red(`${failed} of ${done + failed} steps did not do what they must, ${time}.`)
}
