/** `comity keys`: list and rotate. */
import type { SignatureAlgorithm } from '@comity/core/crypto/crypto'
import type { KeyView } from '@comity/node/admin/admin-api'
import { connect, show, type CommandContext } from '../command-context.ts'
import { table } from '../output.ts'

export interface RotateArguments {
  readonly purpose: readonly string[]
  /** Milliseconds. */
  readonly publishFor?: number
  /** Milliseconds. */
  readonly overlap: number
  readonly algorithm: SignatureAlgorithm
}

const defaultMs = 600_000
/** A partner that pins the TLS key must read the successor while the old one is in use: within a week it will. */
const defaultForTlsMs = 604_800_000

/** The first keys sign since ever, which is told as nothing. */
const moment = (timeMs = 0): string => (timeMs === 0 ? '' : `${new Date(timeMs).toISOString().slice(0, 19)}Z`)

function lines(keys: readonly KeyView[]): string[] {
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
  const keys = await (await connect(context)).get<KeyView[]>('/v1/keys')
  show(context, keys, () => lines(keys))
}

export async function rotateKeys(context: CommandContext, args: RotateArguments): Promise<void> {
  const request = {
    purposes: args.purpose,
    publishForMs: args.publishFor ?? (args.purpose.includes('tls') ? defaultForTlsMs : defaultMs),
    overlapMs: args.overlap,
    algorithm: args.algorithm,
  }
  const keys = await (await connect(context)).post<KeyView[]>('/v1/keys/rotate', request)
  show(context, keys, () => lines(keys))
}
