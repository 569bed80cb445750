/** What is left running, and how to call it. */
import { relative } from 'node:path'
import colors from 'picocolors'
import type { Participant } from '../stage/participant.ts'
import type { Report } from '../stage/report.ts'
import { idInForce } from './agreement.ts'
import { athlete, atFederation, atLab, purpose, type Cast } from './cast.ts'

/** Tells where everything listens, and commands that work as they stand. */
export async function tellAddresses(cast: Cast, report: Report): Promise<void> {
  const { federation, lab } = cast
  report.chapter('Yours to try', 'Both participants keep running.')
  await report.attempt('left running', async () => ({
    detail: `federation ${federation.url}, lab ${lab.url}, its applications ${lab.localUrl}`,
    note: `all files in ${cast.root}`,
    value: undefined,
  }))
  for (const [sentence, ...commands] of examples(cast, await idInForce(federation))) {
    report.say('', sentence, ...commands.map((command) => `  ${colors.cyan(command)}`))
  }
}

function examples(cast: Cast, agreement: string): [sentence: string, ...commands: string[]][] {
  const { federation, lab } = cast
  // curl pins the key itself: base64 instead of base64url, and no authority asked.
  const pin = Buffer.from(federation.fingerprint.slice('sha256:'.length), 'base64url').toString('base64')
  const curl = `curl -sk --pinnedpubkey 'sha256//${pin}'`
  const command = (participant: Participant, rest: string): string =>
    `npm run -s comity -- -c ${shellPath(participant.configFile)} ${rest}`
  return [
    [
      'An application of the lab reads an athlete:',
      `curl -si -H 'Comity-Purpose: ${purpose}' ${atLab(cast, `athletes/athletes/${athlete}`)}`,
    ],
    ['Anyone reads the public product:', `${curl} '${atFederation(cast, 'electricity/generation?year=2017')}'`],
    ["Anyone watches the federation's log:", `${curl} ${federation.url}/log/checkpoint`],
    ['The lab looks at its log and its receipts:', command(lab, 'log show'), command(lab, 'receipts list')],
    [
      'The federation ends the agreement; then the first call is refused:',
      command(federation, `agreements terminate ${agreement} --reason over`),
    ],
  ]
}

function shellPath(path: string): string {
  const short = relative(process.cwd(), path)
  const chosen = short.startsWith('..') ? path : short
  return /^[\w./-]+$/.test(chosen) ? chosen : `'${chosen.replaceAll("'", `'\\''`)}'`
}
