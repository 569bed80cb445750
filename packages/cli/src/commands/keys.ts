/** `comity keys`: list and rotate. */
import type { KeyInfo } from '@comity/node/identity/own-identity'
import { connect, show, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'

export interface RotateArguments {
  readonly purpose: readonly string[]
  /** Milliseconds. */
  readonly publishFor: number
  /** Milliseconds. */
  readonly overlap: number
}

const moment = (timeMs: number | undefined): string =>
  timeMs === undefined ? '' : new Date(timeMs).toISOString().slice(0, 19) + 'Z'

function lines(keys: readonly KeyInfo[]): string[] {
  const rows = keys.map((key) => [
    key.keyid,
    key.purpose,
    key.state,
    moment(key.activeAtMs),
    moment(key.retiringAtMs),
    moment(key.retiredAtMs),
  ])
  return table([['key', 'purpose', 'state', 'signs from', 'signs until', 'accepted until'], ...rows])
}

export async function listKeys(context: CommandContext): Promise<void> {
  const keys = await (await connect(context)).get<KeyInfo[]>('/v1/keys')
  show(context, keys, () => lines(keys))
}

export async function rotateKeys(context: CommandContext, args: RotateArguments): Promise<void> {
  const request = { purposes: args.purpose, publishForMs: args.publishFor, overlapMs: args.overlap }
  const keys = await (await connect(context)).post<KeyInfo[]>('/v1/keys/rotate', request)
  show(context, keys, () => lines(keys))
}
