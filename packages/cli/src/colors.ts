/** Colours for a person at a terminal, never for what reads a pipe. */
import { readEnvironment, type Environment } from '@comity/node/config/environment'
import picocolors from 'picocolors'

/** Where a text goes, and what the environment asks of its colours. */
export interface ColorSituation {
  readonly isTerminal: boolean
  readonly environment: Environment
}

/**
 * Whether a text may be coloured: at a terminal, unless `NO_COLOR` is set (https://no-color.org) or the terminal is
 * dumb; elsewhere with `FORCE_COLOR` alone. `picocolors` by itself colours pipes too where `CI` is set, and a script
 * there would read escape sequences.
 */
export function wantsColors({ isTerminal, environment }: ColorSituation): boolean {
  if ((environment['NO_COLOR'] ?? '') !== '') return false
  if (!['', '0', 'false'].includes(environment['FORCE_COLOR'] ?? '')) return true
  return isTerminal && environment['TERM'] !== 'dumb'
}

export const colors = picocolors.createColors(
  wantsColors({ isTerminal: process.stdout.isTTY === true, environment: readEnvironment() }),
)
